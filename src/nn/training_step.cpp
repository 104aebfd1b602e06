#include "src/nn/training_step.hpp"

#include <algorithm>

#include "distributed/session.hpp"

namespace recombine {

TrainingStep::TrainingStep(RankContext& context, const Parts& parts, const StepOptions& options)
    : context_(context),
      parts_(parts),
      options_(options),
      ring_(context),
      optimizer_(context, parts.model, options.optimizer, ring_.current()),
      reducer_(context, parts.model.gradient(), parts.model.layout().buckets()) {
  if (context.device().kind() == DeviceKind::cpu) return;  // a CPU runs its arithmetic streams inline
  if (!clips()) updates_ = context.device().make_stream(StreamUse::background);
  // If dW is summed over ranks, it stays on the compute stream: the products after it hide its sum.
  if (context.mesh().parts(Axis::i) == 1) dw_stream_ = context.device().make_stream(StreamUse::background);
}

void TrainingStep::run(StepKind kind, const StepInput& input) {
  ring_.push(input);
  if (parts_.table.table().streamed && context_.device().kind() != DeviceKind::cpu) {
    const double start = Session::now();
    kind.slot = parts_.loader.stage(parts_.table.table(), {input.order, kind.rows, options_.batch_size});
    input_seconds_ += Session::now() - start;
  }
  std::unique_ptr<Replay>& replay = replays_[kind];
  if (!replay) replay = context_.make_replay([this, kind] { enqueue(kind); });
  replay->run();
}

void TrainingStep::for_micro_batches(std::int64_t rows, const Work& work) const {
  for (std::int64_t begin = 0; begin < rows; begin += options_.batch_size) {
    const std::int64_t end = std::min(begin + options_.batch_size, rows);
    work({.rows = {begin, end}, .batch_rows = rows, .first = begin == 0, .last = end == rows});
  }
}

void TrainingStep::prepare(std::int64_t rows) {
  if (context_.device().kind() == DeviceKind::cpu) return;
  const auto ignore = [](Range) {};
  for_micro_batches(rows, [&](const MicroBatch& micro_batch) {
    forward_backward(micro_batch, nullptr, {.completed = ignore, .released = ignore, .dw_stream = dw_stream_.get()});
  });
  context_.compute().synchronize();
}

void TrainingStep::enqueue(const StepKind& kind) {
  ring_.begin();
  for_micro_batches(kind.rows, [this](const MicroBatch& micro_batch) {
    forward_backward(micro_batch, &ring_.current()->input.order,
                     {.completed = [this](Range layer) { reducer_.add(layer); },
                      .released = [this](Range layer) { update_released(layer); },
                      .dw_stream = dw_stream_.get(),
                      .bad_outputs = &ring_.current()->sums.bad_outputs});
  });
  finish_updates();
  if (kind.measures_norm) optimizer_.add_square_sum(&ring_.current()->sums.gradient_square_sum);
}

void TrainingStep::forward_backward(const MicroBatch& micro_batch, const BatchOrder* order,
                                    const BackwardOptions& backward) {
  const double start = Session::now();
  const Table& table = parts_.table.table();
  const DistMatrix& x = parts_.model.begin_batch(micro_batch.rows.size());
  parts_.loader.load(table, parts_.input, x, {.first = micro_batch.rows.begin, .order = order});
  input_seconds_ += Session::now() - start;
  parts_.loss.add(table, parts_.loader, parts_.model.forward(),
                  {.kind = options_.loss,
                   .batch_rows = micro_batch.batch_rows,
                   .gradient = &parts_.model.output_gradient(),
                   .sums = &ring_.current()->sums.loss});
  parts_.model.backward(micro_batch, backward);
}

/// Updates the weights of `layer` and later layers as soon as their gradients are summed. Products of earlier layers
/// run at the same time. If dW is not summed, its products also have a stream of their own:
///
///     with sums                                                      without
///     compute   | dW3 | dX3 | dW2 | dX2 | dW1 |                      compute   | dX3 | dX2 |
///     sums            |- sum 3 -| |- sum 2 -| |- sum 1 -|            dW        | dW3 | dW2 | dW1 |
///     updates                   | 3 |       | 2 |       | 1 |        updates         | 3 | 2 |   | 1 |
void TrainingStep::update_released(Range layer) {
  if (!updates_) return;
  const Range summed = reducer_.wait_from(layer.begin, *updates_);
  if (summed.size() == 0) return;
  parts_.model.set_summed(summed.begin);
  updates_->wait(context_.compute().record());  // after the products that read these weights
  if (dw_stream_) updates_->wait(dw_stream_->record());
  optimizer_.update(*updates_, summed);
}

void TrainingStep::finish_updates() {
  // A bucket is updated while later buckets are still being summed.
  reducer_.finish([this](Range bucket) {
    parts_.model.set_summed(bucket.begin);
    if (!clips()) optimizer_.update(context_.compute(), bucket);
  });
  parts_.model.set_summed(0);  // a rank that holds no weights has no bucket
  if (updates_) context_.compute().wait(updates_->record());
  if (!clips()) return;
  optimizer_.measure_norm();
  optimizer_.update(context_.compute(), {0, parts_.model.weights().size});
}

}  // namespace recombine
