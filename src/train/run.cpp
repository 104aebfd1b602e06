#include "src/train/run.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <new>

#include <fmt/ranges.h>

#include "kernels/error.hpp"
#include "src/data/csv.hpp"
#include "src/nn/checkpoint/load_weights.hpp"
#include "src/nn/checkpoint/safetensors.hpp"
#include "src/nn/fingerprint.hpp"
#include "src/nn/shared_data.hpp"
#include "src/program/byte_text.hpp"
#include "src/program/parse.hpp"
#include "src/program/rank_device.hpp"
#include "src/program/same_files.hpp"
#include "src/report/peak.hpp"
#include "src/report/standard_output.hpp"
#include "src/report/train_report.hpp"
#include "src/train/training_bytes.hpp"

namespace recombine {

namespace {

std::vector<NamedFile> inputs_of(const TrainCommand& command) {
  std::vector<NamedFile> inputs = {{"config", command.config}, {"validation", command.data.validation}};
  for (const std::string& path : files_of(command.data)) inputs.push_back({"data", path});
  return inputs;
}

/// What a rank may use of its host's memory: its share, or --memory-limit if that is less.
struct RankMemory {
  double bytes = 0;
  std::string limit = {};  ///< the option that sets it, for messages; "": the share
};
RankMemory memory_for(const Session& session, const TrainCommand& command) {
  const double share = memory_share(session);
  if (command.memory_limit.value_or(share) >= share) return {share};
  return {*command.memory_limit, fmt::format("--memory-limit {}", command.memory_limit_text)};
}

/// @param memory what each rank of the host may use; before training begins, the data may use all of it
LoadedData load(const Session& session, const TrainCommand& command, const RankMemory& memory) {
  LoadedData data;
  DataOptions options = command.data;
  options.memory = {.host_bytes = memory.bytes * session.local_size(),
                    .growth = command.memory_limit ? Growth::any : Growth::thousandfold};
  if (!memory.limit.empty()) {
    const int ranks = session.local_size();
    options.memory.limit = ranks == 1 ? memory.limit : fmt::format("{} for each of its {} ranks", memory.limit, ranks);
  }
  try {
    data = load_data(options);
  } catch (const std::bad_alloc&) {
    throw InputError(fmt::format("--data {}: does not fit this host's memory; expected fewer rows", command.data.data));
  }
  if (command.loss == TrainCommand::Loss::cross_entropy && data.classes == 0) make_classes(data);
  require_input(command.loss != TrainCommand::Loss::mse || data.classes == 0,
                "--loss mse: {} has class labels; expected auto or cross-entropy", data.name);
  return data;
}

TrainerOptions trainer_options(const TrainCommand& command, const SharedData& data) {
  return {.model = {.inputs = data.inputs(),
                    .hidden = command.hidden,
                    .outputs = data.outputs(),
                    .activation = command.activation,
                    .bias = command.bias,
                    .product_type = command.product_type},
          .loss = data.classes() > 0 ? LossKind::cross_entropy : LossKind::mse,
          .batch_size = std::min(command.batch_size.value_or(data.train().rows()), data.train().rows()),
          .accumulate = command.accumulate,
          .epochs = command.epochs,
          .steps = command.steps,
          .patience = command.patience,
          .seed = command.seed,
          .optimizer = command.optimizer,
          .schedule = {.kind = command.schedule, .lr = command.lr, .warmup = command.warmup}};
}

/// Refuses, on every rank, a training that needs more host memory than `memory`. Does not check a GPU's memory, where a
/// failed allocation is an error.
void require_memory(const Device& device, const TrainerOptions& options, const TrainingBytes& bytes,
                    const RankMemory& memory) {
  if (device.kind() == DeviceKind::cuda || bytes.total() <= memory.bytes) return;
  const std::string why =
      fmt::format("training takes {} on each rank, but {} allows {}", exact_byte_text(bytes.total()),
                  memory.limit.empty() ? "its share of the host's memory" : memory.limit, byte_text(memory.bytes));
  // The message names the option that makes the larger part smaller.
  if (bytes.values >= bytes.parameters) {
    throw InputError(
        fmt::format("--batch-size {}: {}; expected a smaller batch or more memory", options.batch_size, why));
  }
  throw InputError(fmt::format("--hidden '{}': {}; expected narrower layers or more memory",
                               fmt::join(options.model.hidden, ","), why));
}

/// The files that rank 0 writes. They are opened before training, so that a wrong path is reported at once, and checked
/// during training, so that a removed folder is reported before the end.
class Outputs : public TrainingListener {
 public:
  explicit Outputs(const TrainCommand& command) {
    if (!command.save.empty()) save.emplace("save", command.save);
    if (!command.summary.empty()) summary.emplace("summary", command.summary);
    if (!command.metrics.empty()) metrics.emplace(command.metrics, command.metrics_every);
  }
  std::optional<OutputFile> save, summary;
  std::optional<MetricsFile> metrics;

  void print_notes() const {
    print_note("train", save ? save->note() : "");
    print_note("train", summary ? summary->note() : "");
    print_note("train", metrics ? metrics->note() : "");
  }
  void on_steps(const std::vector<StepRecord>& steps) override {
    if (save) save->require_there();
    if (summary) summary->require_there();
    if (metrics) metrics->on_steps(steps);
  }
  void on_epoch(const EpochRecord& epoch) override {
    if (metrics) metrics->on_epoch(epoch);
  }
};

/// Passes events on to the console and the files, which only rank 0 has, and keeps the last epoch.
class Fanout : public TrainingListener {
 public:
  std::vector<TrainingListener*> targets;
  EpochRecord last;

  void on_steps(const std::vector<StepRecord>& steps) override {
    for (TrainingListener* target : targets) target->on_steps(steps);
  }
  void on_epoch(const EpochRecord& epoch) override {
    last = epoch;
    for (TrainingListener* target : targets) target->on_epoch(epoch);
  }
};

RunResult result_of(const Trainer& trainer, const EpochRecord& last, Communicator& world, Stream& stream) {
  const TimeSpent& time = trainer.time();
  std::array<double, 6> sums = {time.compute,   time.exposed_communication, time.input, time.evaluation, time.other,
                                trainer.flops()};
  world.all_reduce(stream, vector_view(sums.data(), 6), Reduction::sum);
  stream.synchronize();
  const auto mean = [&](std::size_t i) { return sums[i] / world.size(); };
  return {.time = {mean(0), mean(1), mean(2), mean(3), mean(4)},
          .flops = sums[5],
          .samples = trainer.state().samples,
          .steps = trainer.state().step,
          .epochs = last.epoch,
          .train_loss = last.train_loss,
          .test = last.test,
          .validation = last.validation};
}

}  // namespace

void run_training(Session& session, const TrainCommand& command) {
  const Mesh mesh = command.mesh.value_or(Mesh(session.size(), 1, 1));
  agree(session, [&] {
    require_input(mesh.size() == session.size(), "--mesh {}: has {} ranks; expected {}, as the job has",
                  mesh.to_string(), mesh.size(), session.size());
    require_apart({{"save", command.save}, {"summary", command.summary}, {"metrics", command.metrics}},
                  inputs_of(command));
    // --save may replace the file of --load.
    require_apart({{"summary", command.summary}, {"metrics", command.metrics}}, {{"load", command.load}});
  });
  require_same_files(session, {{"load", command.load}}, Compared::places);
  if (!command.quiet) warn_if_bound(session, "train");
  const RankDevice rank_device = make_rank_device(session, command.device);
  Device& device = *rank_device.device;
  const auto world = make_world(session);
  const auto stream = device.make_stream(StreamUse::host);
  const RankMemory memory = memory_for(session, command);
  const SharedData data(session, *world, *stream, [&] { return load(session, command, memory); });
  const TrainerOptions options = trainer_options(command, data);

  require_memory(device, options, training_bytes(mesh, options, Trainer::largest_batch(data, options)), memory);
  std::optional<Outputs> outputs;
  on_root(*world, *stream, [&] {
    outputs.emplace(command);
    if (!command.quiet) outputs->print_notes();
  });
  RankContext context(mesh, *world, device, rank_device.collectives);
  Trainer trainer(context, data, options);
  if (!command.load.empty()) {
    agree(*world, *stream, [&] { load_weights(context, command.load, trainer.model()); });
  }
  on_root(*world, *stream, [&] {
    if (outputs->save) outputs->save->reserve(safetensors_bytes(trainer.model().layout()));
  });
  const RunDescription run{.np = session.size(),
                           .mesh = context.mesh(),
                           .device = device.description(),
                           .threads = rank_device.threads,
                           .data = data.name(),
                           .model = options.model.to_string(),
                           .loaded = command.load,
                           .parameters = options.model.parameters(),
                           .rows = data.train().rows(),
                           .batch_size = options.batch_size,
                           .accumulate = options.accumulate,
                           .batch_rows = trainer.batch_rows(),
                           .total_steps = trainer.total_steps(),
                           .classifies = data.classes() > 0,
                           .has_test = data.test().rows() > 0,
                           .precision = command.precision,
                           .waits = device.kind() == DeviceKind::cuda ? Waits::on_device : Waits::on_host,
                           .collectives = rank_device.collectives_name(),
                           .peak_gflops = measure_peak_gflops(context, *world, *stream, command.product_type),
                           .provenance = provenance_of(session, device)};

  const bool root = session.rank() == 0;
  std::optional<Console> console;
  if (root && !command.quiet) console.emplace(run);
  Fanout listeners;
  if (console) listeners.targets.push_back(&*console);
  if (root) listeners.targets.push_back(&*outputs);
  const double start = Session::now();
  trainer.run(listeners);
  RunResult result = result_of(trainer, listeners.last, *world, *stream);
  result.seconds = Session::now() - start;
  require(result.steps > 0, "no training step was done: the weights are untrained and are not saved");
  result.collectives = context.journal().totals();
  const auto all = make_communicator(*world, device, rank_device.collectives, 0, session.rank());
  result.weights_fingerprint = weights_fingerprint(context, *world, *stream, trainer.model());
  agree(*world, *stream, [&] {
    OutputFile* const save = outputs && outputs->save ? &*outputs->save : nullptr;
    result.weights_sha256 = write_weights(context, *all, trainer.model(), save);
  });
  on_root(*world, *stream, [&] {
    if (console) console->finish(result);
    if (outputs->save) outputs->save->commit();
    if (outputs->summary) write_summary(*outputs->summary, run, result);
  });
}

}  // namespace recombine
