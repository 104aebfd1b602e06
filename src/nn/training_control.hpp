#pragma once

#include "src/nn/train_state.hpp"

namespace recombine {

/// Decides when a run writes a checkpoint, and whether it stops before the last step. The trainer asks at the same
/// points on every rank; all ranks must get the same answer.
class TrainingControl {
 public:
  enum class Wish { go_on, checkpoint, stop };  ///< stop: write a checkpoint, then end

  virtual ~TrainingControl() = default;
  /// Called after each step.
  virtual Wish after_step(const TrainState& /*state*/) { return Wish::go_on; }
  /// Called between two batches of an evaluation. True: the evaluation and training stop; a resumed run repeats it.
  virtual bool stops_evaluation() { return false; }
  /// Writes a checkpoint. @pre `state` contains the losses of all steps; no work on the compute stream changes weights
  /// or moments.
  virtual void save(const TrainState& /*state*/) {}
};

}  // namespace recombine
