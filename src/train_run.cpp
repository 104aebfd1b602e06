#include "src/train_run.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "kernels/error.hpp"
#include "src/checkpoint/safetensors.hpp"
#include "src/data/csv.hpp"
#include "src/data/shared_data.hpp"
#include "src/parse.hpp"
#include "src/report/peak.hpp"
#include "src/report/train_report.hpp"

namespace recombine {

namespace {

int threads_of(const Session& session, const TrainCommand& command) {
  if (command.threads) return *command.threads;
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    return static_cast<int>(std::max(1L, std::strtol(text, nullptr, 10)));
  }
  const CpuShare share = cpu_share(session);
  return std::clamp(static_cast<int>(share.bound.size()), 1, share.fair);
}

void warn_if_bound(const Session& session, const TrainCommand& command) {
  const CpuShare share = cpu_share(session);
  if (session.rank() != 0 || command.quiet || static_cast<int>(share.bound.size()) >= share.fair) return;
  fmt::print(stderr, "train: a rank is bound to {} of the {} cores that are its share: mpirun --bind-to none frees it\n",
             share.bound.size(), share.fair);
}

LoadedData load(const TrainCommand& command) {
  LoadedData data = load_data(command.data);
  if (command.loss == TrainCommand::Loss::cross_entropy && data.classes == 0) make_classes(data);
  require_input(command.loss != TrainCommand::Loss::mse || data.classes == 0,
                "--loss mse: {} has class labels; auto or cross-entropy is right", data.name);
  return data;
}

TrainerOptions trainer_options(const TrainCommand& command, const SharedData& data) {
  return {.model = {.inputs = data.inputs(),
                    .hidden = command.hidden,
                    .outputs = data.outputs(),
                    .activation = command.activation,
                    .bias = command.bias},
          .loss = data.classes() > 0 ? LossKind::cross_entropy : LossKind::mse,
          .batch_size = std::min(command.batch_size.value_or(data.train().rows()), data.train().rows()),
          .epochs = command.epochs,
          .steps = command.steps,
          .patience = command.patience,
          .seed = command.seed,
          .optimizer = command.optimizer,
          .schedule = {.kind = command.schedule, .lr = command.lr, .warmup = command.warmup}};
}

/// The files that rank 0 writes; opened before training so that a wrong path is told at once.
struct Outputs {
  explicit Outputs(const TrainCommand& command) {
    if (!command.save.empty()) save.emplace("save", command.save);
    if (!command.summary.empty()) summary.emplace("summary", command.summary);
    if (!command.metrics.empty()) metrics.emplace(command.metrics);
  }
  std::optional<OutputFile> save, summary;
  std::optional<MetricsFile> metrics;
};

/// Hands events on to what rank 0 has, and keeps the last epoch.
class Fanout : public TrainingListener {
 public:
  std::vector<TrainingListener*> listeners;
  EpochRecord last;

  void on_steps(const std::vector<StepRecord>& steps) override {
    for (TrainingListener* listener : listeners) listener->on_steps(steps);
  }
  void on_epoch(const EpochRecord& epoch) override {
    last = epoch;
    for (TrainingListener* listener : listeners) listener->on_epoch(epoch);
  }
};

RunResult result_of(const Trainer& trainer, const EpochRecord& last, Communicator& world, Stream& stream) {
  const TimeSpent& time = trainer.time();
  std::array<double, 6> sums = {time.compute,    time.exposed_communication, time.input,
                                time.evaluation, time.other,                 trainer.flops()};
  world.all_reduce(stream, vector_view(sums.data(), 6), Reduction::sum);
  stream.synchronize();
  const auto mean = [&](std::size_t i) { return sums[i] / world.size(); };
  return {.time = {mean(0), mean(1), mean(2), mean(3), mean(4)},
          .flops = sums[5],
          .samples = trainer.samples_seen(),
          .steps = trainer.steps_done(),
          .epochs = last.epoch,
          .train_loss = last.train_loss,
          .test = last.test,
          .validation = last.validation};
}

}  // namespace

void run_training(Session& session, const TrainCommand& command) {
  warn_if_bound(session, command);
  const int threads = threads_of(session, command);
  const auto device =
      make_device({.kind = command.device,
                                   .threads = threads,
                                   .cores = cores_for(session, threads),
                                   .progress = session.progress()});
  const auto world = make_world(session, *device);
  const auto stream = device->make_stream(StreamUse::communication);
  const SharedData data(session, *world, *stream, [&] { return load(command); });
  const TrainerOptions options = trainer_options(command, data);

  std::optional<Outputs> outputs;
  on_root(*world, *stream, [&] { outputs.emplace(command); });
  MeshRank rank(Mesh(session.size(), 1, 1), *world, *device);
  Trainer trainer(rank, data, options);
  const RunDescription run{.np = session.size(),
                           .mesh = rank.mesh(),
                           .device = device->description(),
                           .threads = threads,
                           .data = data.name(),
                           .model = options.model.to_string(),
                           .parameters = options.model.parameters(),
                           .rows = data.train().rows(),
                           .batch_size = options.batch_size,
                           .total_steps = trainer.total_steps(),
                           .classifies = data.classes() > 0,
                           .peak_gflops = measure_peak_gflops(rank, *world, *stream)};

  const bool root = session.rank() == 0;
  std::optional<Console> console;
  if (root && !command.quiet) console.emplace(run);
  Fanout listeners;
  if (console) listeners.listeners.push_back(&*console);
  if (root && outputs->metrics) listeners.listeners.push_back(&*outputs->metrics);
  const double start = Session::now();
  trainer.run(listeners);
  RunResult result = result_of(trainer, listeners.last, *world, *stream);
  result.seconds = Session::now() - start;
  on_root(*world, *stream, [&] {
    const GlobalTensors tensors = gather_tensors(rank, trainer.model());
    result.weights_sha256 = sha256(tensors);
    if (console) console->finish(result);
    if (outputs->save) write_safetensors(*outputs->save, tensors);
    if (outputs->summary) write_summary(*outputs->summary, run, result);
  });
}

}  // namespace recombine
