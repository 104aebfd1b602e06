#pragma once

#include <compare>
#include <functional>
#include <map>
#include <memory>

#include "src/nn/batch_loss.hpp"
#include "src/nn/dataset.hpp"
#include "src/nn/device_table.hpp"
#include "src/nn/gradient_reducer.hpp"
#include "src/nn/optimizer.hpp"
#include "src/nn/step_ring.hpp"

namespace recombine {

/// What decides which calls a step makes. Steps of the same kind differ only in their values in the StepRing.
struct StepKind {
  std::int64_t rows;  ///< of the batch
  bool measures_norm;
  int slot = 0;  ///< BatchLoader::stage() of a streamed table
  auto operator<=>(const StepKind&) const = default;
};

struct StepOptions {
  LossKind loss = LossKind::cross_entropy;
  std::int64_t batch_size = 0;  ///< rows of a micro-batch, over all ranks
  OptimizerOptions optimizer;
};

/// One step of training: forward and backward for each micro-batch, then one sum over the ranks and one update. A GPU
/// replays a kind of step as a graph (RankContext::make_replay).
class TrainingStep {
 public:
  /// The parts of a network in training; they must outlive this.
  struct Parts {
    Model& model;
    BatchLoader& loader;
    BatchLoss& loss;
    const DeviceTable& table;
    const Affine& input;
  };
  TrainingStep(RankContext& context, const Parts& parts, const StepOptions& options);

  /// Runs forward and backward for a batch of `rows` rows, without an update, so that a GPU's libraries choose their
  /// algorithms before the first step. Does nothing on a CPU.
  void prepare(std::int64_t rows);
  /// Enqueues a step on `input`. The caller then adds its record to ring().
  void run(StepKind kind, const StepInput& input);

  StepRing& ring() { return ring_; }
  bool clips() const { return optimizer_.clips(); }
  const Optimizer& optimizer() const { return optimizer_; }
  /// Seconds that this rank's host has spent on loading batches. For a GPU, the host only enqueues the loading.
  double input_seconds() const { return input_seconds_; }

 private:
  void enqueue(const StepKind& kind);
  using Work = std::function<void(const MicroBatch&)>;
  void for_micro_batches(std::int64_t rows, const Work& work) const;
  void forward_backward(const MicroBatch& micro_batch, const BatchOrder* order, const BackwardOptions& backward);
  void update_released(Range layer);
  void finish_updates();

  RankContext& context_;
  Parts parts_;
  StepOptions options_;
  StepRing ring_;
  Optimizer optimizer_;
  GradientReducer reducer_;
  std::unique_ptr<Stream> dw_stream_;  ///< see BackwardOptions
  std::unique_ptr<Stream> updates_;    ///< runs the updates of layers during backward; null: they run after it
  std::map<StepKind, std::unique_ptr<Replay>> replays_;
  double input_seconds_ = 0;
};

}  // namespace recombine
