#pragma once

#include "src/nn/trainer.hpp"
#include "src/report/batching_figures.hpp"

namespace recombine {

/// Fills in the figures of a BatchingRun while its trainer runs. Computes the loss of all training rows before
/// training and after each epoch; every rank of the mesh must have one.
class CurveRecorder : public TrainingListener {
 public:
  /// @param loss_unit  losses are multiplied by this  @param shown  gets the steps too; null: nothing does
  CurveRecorder(Trainer& trainer, BatchingRun& run, double loss_unit, TrainingListener* shown);

  void on_steps(const std::vector<StepRecord>& steps) override;
  /// @throws InputError on every rank if the loss of all rows is not finite
  void on_epoch(const EpochRecord& epoch) override;
  /// Call it after the last epoch.
  void finish();

 private:
  void add_point(double seconds);

  Trainer& trainer_;
  BatchingRun& run_;
  double loss_unit_;
  TrainingListener* shown_;
  double before_ = 0;  ///< the loss of the update before
  double rises_ = 0;
  std::int64_t counted_ = 0;  ///< updates whose rise was added
};

}  // namespace recombine
