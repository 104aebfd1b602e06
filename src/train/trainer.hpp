#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/data/device_table.hpp"
#include "src/data/permutation.hpp"
#include "src/data/shared_data.hpp"
#include "src/nn/gradient_reducer.hpp"
#include "src/nn/optimizer.hpp"
#include "src/train/batch_loader.hpp"

namespace recombine {

struct TrainerOptions {
  ModelShape model;
  LossKind loss = LossKind::cross_entropy;
  std::int64_t batch_size = 0;  ///< rows of the global batch
  std::int64_t epochs = 0;
  std::int64_t steps = 0;     ///< > 0: training stops after this many steps
  std::int64_t patience = 0;  ///< > 0: training stops after this many epochs without a better validation loss
  std::uint64_t seed = 0;
  OptimizerOptions optimizer;
  RateSchedule schedule;  ///< the trainer sets its `steps`
};

/// The loss of a step; the same on every rank.
struct StepRecord {
  std::int64_t step = 0;   ///< from 1
  std::int64_t epoch = 0;  ///< from 1
  double train_loss = 0;   ///< mean over the batch, before the update
  double lr = 0;
  bool finite_weights = true;  ///< after the update
};

/// Mean loss and share of correct answers over a table.
struct Score {
  double loss = 0;
  double accuracy = 0;  ///< NaN for regression; null in JSON
};

struct EpochRecord {
  std::int64_t epoch = 0;  ///< from 1
  std::int64_t steps = 0;  ///< since the beginning of the run
  double train_loss = 0;   ///< mean over the epoch's rows; each row before its step's update
  std::optional<Score> validation, test;
  double seconds = 0;  ///< training only
  double samples_per_second = 0;
};

/// The wall time of this rank by use, in seconds.
struct TimeSpent {
  double compute = 0;
  double exposed_communication = 0;
  double input = 0;
  double evaluation = 0;
  double other = 0;
  double total() const { return compute + exposed_communication + input + evaluation + other; }
  double training() const { return total() - evaluation; }
};

/// Receives the trainer's records. Called on every rank, with losses and scores that are equal on all ranks.
class TrainingListener {
 public:
  virtual ~TrainingListener() = default;
  virtual void on_steps(const std::vector<StepRecord>& steps) = 0;
  virtual void on_epoch(const EpochRecord& epoch) = 0;
};

/// Mini-batch training of a dense network. Each step takes a global batch, and each rank its share of the batch's rows.
class Trainer {
 public:
  /// @throws InputError if options and data do not match
  Trainer(RankContext& context, const SharedData& data, const TrainerOptions& options);

  /// The most rows that a batch of training or evaluation has, over all ranks.
  static std::int64_t largest_batch(const SharedData& data, const TrainerOptions& options);

  std::int64_t steps_per_epoch() const;
  std::int64_t total_steps() const;  ///< @throws InputError if there are 2^63 or more
  std::int64_t steps_done() const { return step_; }

  /// @throws InputError on every rank if training diverges. The message names the first step whose loss is NaN or
  /// infinite, or after whose update a weight is. Losses are read every kFlushSteps steps and at the end of an epoch;
  /// the error is thrown then, before a later step is reported.
  void run(TrainingListener& listener);
  /// Trains one step on the rows at `positions` in the order of the epoch.
  void step(const Permutation& order, Range positions);
  Score evaluate(const DeviceTable& table);
  const DeviceTable& train_table() const { return train_; }
  /// Drops the losses of the steps since the last report. For callers of step().
  void discard_losses() { pending_.clear(), pending_rows_.clear(); }

  const Model& model() const { return model_; }
  const TimeSpent& time() const { return time_; }
  std::int64_t samples_seen() const { return samples_; }
  /// Multiplications and additions of the matrix products that this rank ran in training steps.
  double flops() const { return flops_; }

 private:
  static constexpr std::int64_t kFlushSteps = 64;

  /// The sums of a step in the device's memory. All fields are f64.
  struct StepSums {
    LossSums loss;
    double diverged;  ///< after the sum over the ranks, > 0 if a new weight is NaN or infinite
  };
  static constexpr std::int64_t kStepSums = sizeof(StepSums) / sizeof(double);

  void clear_losses();
  std::vector<StepRecord> flush_losses();
  /// Passes `steps` to the listener, up to the step at which training diverges. @throws InputError if it does
  void report(const std::vector<StepRecord>& steps, TrainingListener& listener);
  /// @throws InputError if `loss` is not finite: training has diverged
  void require_finite(double loss, std::int64_t step, const char* what) const;
  bool run_epoch(std::int64_t epoch, TrainingListener& listener);
  bool out_of_patience(double loss);
  Score sum_scores(const DeviceTable& table);
  /// Returns the sums of `values` over the ranks. Waits for them.
  std::vector<double> sum_over_ranks(VectorView values);

  RankContext& context_;
  const SharedData& data_;
  TrainerOptions options_;
  Model model_;
  Optimizer optimizer_;
  GradientReducer reducer_;
  BatchLoader loader_;
  DeviceTable train_, validation_, test_;
  Buffer losses_;  ///< StepSums of the steps since the last flush
  std::vector<StepRecord> pending_;
  std::vector<std::int64_t> pending_rows_;
  TimeSpent time_;
  std::int64_t step_ = 0;
  std::int64_t epoch_ = 0;
  std::int64_t samples_ = 0;
  double flops_ = 0;
  double best_loss_ = 0;
  std::int64_t epochs_without_better_ = 0;
};

}  // namespace recombine
