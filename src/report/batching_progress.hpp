#pragma once

#include <string>

#include "src/nn/trainer.hpp"
#include "src/report/batching_figures.hpp"

namespace recombine {

/// Prints what --compare-batching is about to compare: the machine, the network, the data and the shared options.
void print_heading(const BatchingComparison& comparison);

/// Shows on standard output how far one of the trainings is: now and then a line, and one at its end.
class BatchingProgress : public TrainingListener {
 public:
  /// @param strategy     "stochastic"
  /// @param total_steps  of the training
  BatchingProgress(std::string strategy, std::int64_t total_steps);

  void on_steps(const std::vector<StepRecord>& steps) override;
  void finish(const BatchingRun& run) const;

 private:
  std::string strategy_;
  std::int64_t total_steps_;
  bool terminal_;
  double start_;
  double last_shown_;
};

}  // namespace recombine
