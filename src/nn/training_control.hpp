#pragma once

#include "src/nn/train_state.hpp"

namespace recombine {

/// What a run does besides training: checkpoints, and an end before the last step. The trainer asks on every rank at
/// the same points; the answers must be the same on every rank.
class TrainingControl {
 public:
  enum class Wish { go_on, checkpoint, stop };  ///< stop: a checkpoint, then the end

  virtual ~TrainingControl() = default;
  /// After each step.
  virtual Wish after_step(const TrainState& /*state*/) { return Wish::go_on; }
  /// Between two batches of an evaluation. True: the evaluation is given up, and training stops. The next run repeats it.
  virtual bool stops_evaluation() { return false; }
  /// Writes a checkpoint. The losses of all steps are in `state`, and the compute stream has no work that changes
  /// weights or moments.
  virtual void save(const TrainState& /*state*/) {}
};

}  // namespace recombine
