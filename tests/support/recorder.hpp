#pragma once

#include <vector>

#include "src/nn/trainer.hpp"

namespace recombine::test {

/// Keeps all records of a trainer.
struct Recorder : TrainingListener {
  std::vector<StepRecord> steps;
  std::vector<EpochRecord> epochs;
  void on_steps(const std::vector<StepRecord>& s) override { steps.insert(steps.end(), s.begin(), s.end()); }
  void on_epoch(const EpochRecord& epoch) override { epochs.push_back(epoch); }
};

}  // namespace recombine::test
