#include "src/train/training_run.hpp"

#include "kernels/error.hpp"
#include "src/nn/checkpoint/file_shares.hpp"
#include "src/nn/checkpoint/load_weights.hpp"
#include "src/nn/set_weights.hpp"
#include "src/program/parse.hpp"
#include "src/report/peak.hpp"
#include "src/report/standard_output.hpp"

namespace recombine {

/// This rank's copy of the tables on a GPU, or its share of the host's tables.
double TrainingRun::data_bytes() const {
  return on_gpu() ? table_bytes(data_) : static_cast<double>(data_.bytes()) / session_.local_size();
}

/// Predicts the memory of this rank. @throws InputError on every rank if, on CPUs, one of them needs more than it may
/// use. GPU memory is not checked: a GPU reports an error when an allocation fails.
MemoryBytes TrainingRun::predict(const Mesh& mesh) {
  MemoryBytes bytes;
  agree(*world_, *stream_, [&] {
    const Coord coord = mesh.coord_of(session_.rank());
    const std::int64_t largest_batch = Trainer::largest_batch(data_, options_);
    bytes = training_bytes(mesh, coord, options_, largest_batch);
    bytes[MemoryUse::buffers] += staging_bytes(mesh, coord, data_, largest_batch);
    bytes[MemoryUse::data] = data_bytes();
    if (command_.checkpoints.enabled()) {
      const ParameterLayout layout(options_.model, mesh, coord);
      const int best = options_.kept == KeptWeights::best ? 1 : 0;
      const int vectors = 1 + best + moments_of(options_.optimizer.kind);
      bytes[MemoryUse::buffers] += snapshot_bytes(mesh, coord, layout, device().kind(), vectors);
    }
    if (!on_gpu()) require_memory(options_, bytes, memory_);
  });
  return bytes;
}

void TrainingRun::open_outputs() {
  on_root(*world_, *stream_, [&] {
    if (command_.checkpoints.enabled()) {
      folder_.emplace(command_.checkpoints.folder);
      require_input(!command_.checkpoints.resume.empty() || !folder_->has_checkpoints(),
                    "{}: has checkpoints already; expected an empty folder, or --resume auto",
                    command_.checkpoints.name());
    }
    outputs_.emplace(command_);
    if (command_.quiet || command_.explained_steps > 0) return;
    outputs_->print_notes();
    for (const std::string& note : read_.notes()) print("{}\n", note);
  });
}

RunDescription TrainingRun::describe(const Trainer& trainer) {
  return {.np = session_.size(),
          .mesh = context_.mesh(),
          .device = device().description(),
          .threads = rank_device_.threads,
          .data = data_.name(),
          .model = options_.model.to_string(),
          .loaded = command_.load,
          .init = command_.init,
          .loaded_names = loaded_names_,
          .resumed = resumed_ ? resumed_->path : "",
          .resumed_step = resumed_ ? resumed_->state.step : 0,
          .is_over = !command_.evaluate && resumed_ && trainer.is_over(),
          .parameters = options_.model.parameters(),
          .rows = data_.train().rows(),
          .batch_size = options_.batch_size,
          .accumulate = options_.accumulate,
          .batch_rows = trainer.batch_rows(),
          .total_steps = trainer.total_steps(),
          .evaluates = command_.evaluate,
          .classifies = data_.classes() > 0,
          .has_test = data_.test().rows() > 0,
          .has_validation = data_.validation().rows() > 0,
          .schema = read_.schema(),
          .defaults = command_.evaluate ? "" : chosen_.defaults,
          .precision = command_.precision,
          .waits = on_gpu() ? Waits::on_device : Waits::on_host,
          .collectives = rank_device_.collectives_name(),
          .peak = command_.evaluate ? Peak{} : measure_peak(context_, *world_, *stream_, command_.product_type),
          .provenance = provenance_of(session_, device())};
}

MemoryBytes TrainingRun::counted_bytes() {
  MemoryBytes bytes = device().memory_count().peak();
  if (!on_gpu()) bytes[MemoryUse::data] = data_bytes();
  return bytes;
}

void TrainingRun::restore(Trainer& trainer) {
  if (!command_.init.empty()) set_weights(context_, trainer.model(), command_.init);
  if (!command_.load.empty()) {
    agree(*world_, *stream_, [&] { loaded_names_ = load_weights(context_, command_.load, trainer.model()); });
  }
  const bool facts = command_.checkpoints.enabled() || !command_.checkpoints.resume.empty();
  if (facts) facts_ = resume_facts(session_, command_, data_, options_);
  if (!command_.checkpoints.resume.empty()) resume(trainer);
}

void TrainingRun::resume(Trainer& trainer) {
  resumed_ = recombine::resume(session_, checkpoint_parts(), trainer, command_.checkpoints, facts_);
  if (resumed_ && !command_.evaluate) trainer.resume(resumed_->state);
  on_root(*world_, *stream_, [&] {
    if (!resumed_) return;
    for (const std::string& note : resumed_->notes) print_note("train", note);
    const bool trains = !command_.evaluate && !trainer.is_over();
    if (trains && !command_.quiet && !resumed_->schedule_note.empty()) print_note("train", resumed_->schedule_note);
    if (outputs_->metrics) outputs_->metrics->keep_until(resumed_->state);
  });
}

}  // namespace recombine
