#include "src/train/compare_batching.hpp"

#include <optional>

#include "distributed/io/output_file.hpp"
#include "kernels/error.hpp"
#include "src/explain/text_layout.hpp"
#include "src/nn/checkpoint/bands.hpp"
#include "src/nn/checkpoint/load_weights.hpp"
#include "src/nn/set_weights.hpp"
#include "src/report/answer_names.hpp"
#include "src/report/batching_progress.hpp"
#include "src/report/plot_script.hpp"
#include "src/report/standard_output.hpp"
#include "src/train/comparison_options.hpp"
#include "src/train/curve_recorder.hpp"
#include "src/train/divergence_remedy.hpp"
#include "src/train/rank_memory.hpp"

namespace recombine {

namespace {

/// The three trainings on this rank, one after the other.
class Comparison {
 public:
  Comparison(Session& session, const TrainCommand& command, const Mesh& mesh)
      : session_(session),
        command_(command),
        rank_device_(make_rank_device(session, command.device)),
        world_(make_world(session)),
        stream_(device().make_stream(StreamUse::host)),
        memory_(memory_for(session, command)),
        read_(session, command, memory_, *world_, *stream_),
        options_(comparison_options(command, read_)),
        context_(mesh, *world_, device(), rank_device_.collectives),
        all_(make_communicator(*world_, device(), rank_device_.collectives, 0, session.rank())) {}

  int run();

 private:
  Device& device() const { return *rank_device_.device; }
  bool shows() const { return session_.rank() == 0 && !command_.quiet; }
  void require_room(const TrainerOptions& options);
  void open_outputs();
  void describe();
  void warm_up(const TrainerOptions& options);
  BatchingRun train(const BatchingStrategy& strategy);
  std::vector<float> weights_of(const Trainer& trainer);
  void write_outputs();

  Session& session_;
  const TrainCommand& command_;
  RankDevice rank_device_;
  std::unique_ptr<Communicator> world_;
  std::unique_ptr<Stream> stream_;
  RankMemory memory_;
  RunData read_;
  ComparisonOptions options_;
  RankContext context_;
  std::unique_ptr<Communicator> all_;  ///< all ranks, for the device's memory
  std::optional<PlotScript> script_;   ///< on rank 0, like the files
  std::optional<OutputFile> summary_, plot_;
  BatchingComparison comparison_;
};

/// @throws InputError on every rank if one of them may not use the memory that a training with `options` needs
void Comparison::require_room(const TrainerOptions& options) {
  if (device().kind() != DeviceKind::cpu) return;
  const SharedData& data = read_.tables();
  agree(*world_, *stream_, [&] {
    const std::int64_t largest_batch = Trainer::largest_batch(data, options);
    MemoryBytes bytes = training_bytes(context_.mesh(), context_.coord(), options, largest_batch);
    bytes[MemoryUse::buffers] += staging_bytes(context_.mesh(), context_.coord(), data, largest_batch);
    const auto weights = static_cast<double>(options.model.parameters() * size_of(DataType::f32));
    if (session_.rank() == 0) bytes[MemoryUse::buffers] += static_cast<double>(options_.strategies.size()) * weights;
    bytes[MemoryUse::data] = static_cast<double>(data.bytes()) / session_.local_size();
    require_memory(options, bytes, memory_);
  });
}

void Comparison::open_outputs() {
  on_root(*world_, *stream_, [&] {
    if (!command_.summary.empty()) summary_.emplace("summary", command_.summary);
    if (!command_.batching.plot.empty()) {
      plot_.emplace("plot", command_.batching.plot);
      script_.emplace(command_.batching.plot);
    }
    if (command_.quiet) return;
    for (const auto* file : {&summary_, &plot_}) print_note("train", *file ? (*file)->note() : "");
    for (const std::string& note : read_.notes()) print("{}", paragraph(note, ""));
    if (!options_.note.empty()) print("{}", paragraph(options_.note, ""));
  });
}

void Comparison::describe() {
  const TrainerOptions& shared = options_.strategies.front().trainer;
  comparison_ = {.np = session_.size(),
                 .mesh = context_.mesh(),
                 .device = device().description(),
                 .threads = rank_device_.threads,
                 .data = read_.tables().name(),
                 .model = shared.model.to_string(),
                 .loaded = command_.load,
                 .parameters = shared.model.parameters(),
                 .rows = read_.tables().train().rows(),
                 .epochs = shared.epochs,
                 .optimizer = options_.optimizer,
                 .schedule = options_.schedule,
                 .lr = shared.schedule.lr,
                 .seed = command_.seed,
                 .defaults = options_.defaults,
                 .asked_loss = command_.batching.until_loss,
                 .provenance = provenance_of(session_, device())};
}

/// Runs the first and the last batch of an epoch with weights that are dropped, so that no training pays for what the
/// libraries do at first use.
void Comparison::warm_up(const TrainerOptions& options) {
  Trainer trainer(context_, read_.tables(), options);
  trainer.prepare();
  const std::int64_t rows = read_.tables().train().rows(), batch = trainer.batch_rows();
  const Permutation order(rows, options.seed, 1);
  trainer.step(order, {0, batch});
  trainer.step(order, {batch * (trainer.steps_per_epoch() - 1), rows});
  trainer.discard_losses();
}

std::vector<float> Comparison::weights_of(const Trainer& trainer) {
  std::vector<float> weights;
  agree(*world_, *stream_, [&] {
    for_each_band(context_, *all_, trainer.model(),
                  [&](std::span<const float> band) { weights.insert(weights.end(), band.begin(), band.end()); });
  });
  return weights;
}

BatchingRun Comparison::train(const BatchingStrategy& strategy) {
  TrainerOptions options = strategy.trainer;
  options.remedy = [&] {
    const std::string remedy = session_.rank() == 0 ? divergence_remedy(read_.tables(), read_.schema()) : "";
    return fmt::format("{} (this was {} training: {} row{} per update)",
                       remedy.empty() ? "a smaller learning rate" : remedy, strategy.name, strategy.rows,
                       strategy.rows == 1 ? "" : "s");
  };
  warm_up(options);
  Trainer trainer(context_, read_.tables(), options);
  if (!command_.init.empty()) set_weights(context_, trainer.model(), command_.init);
  if (!command_.load.empty()) {
    agree(*world_, *stream_, [&] { load_weights(context_, command_.load, trainer.model()); });
  }
  trainer.prepare();
  BatchingRun run{.strategy = strategy.name};
  std::optional<BatchingProgress> progress;
  if (shows()) progress.emplace(strategy.name, trainer.total_steps());
  CurveRecorder recorder(trainer, run, loss_unit(read_.schema()), progress ? &*progress : nullptr);
  trainer.run(recorder);
  recorder.finish();
  if (progress) progress->finish(run);
  run.weights = weights_of(trainer);
  return run;
}

void Comparison::write_outputs() {
  on_root(*world_, *stream_, [&] {
    if (!command_.quiet) print("\n{}", comparison_text(comparison_));
    const std::string json = comparison_json(comparison_);
    if (summary_) {
      summary_->write(json);
      summary_->commit();
    }
    if (plot_) {
      plot_->write(script_->draw(json));
      plot_->commit();
    }
  });
}

int Comparison::run() {
  require_init(command_, options_.strategies.front().trainer.model);
  for (const BatchingStrategy& strategy : options_.strategies) require_room(strategy.trainer);
  open_outputs();
  describe();
  if (shows()) print_heading(comparison_);
  for (const BatchingStrategy& strategy : options_.strategies) comparison_.runs.push_back(train(strategy));
  write_outputs();
  return kExitSuccess;
}

}  // namespace

int compare_batching(Session& session, const TrainCommand& command, const Mesh& mesh) {
  return Comparison(session, command, mesh).run();
}

}  // namespace recombine
