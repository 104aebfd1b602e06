#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/data/device_table.hpp"
#include "src/data/permutation.hpp"
#include "src/data/shared_data.hpp"
#include "src/nn/batch.hpp"
#include "src/nn/gradient_reducer.hpp"
#include "src/nn/optimizer.hpp"

namespace recombine {

struct TrainerOptions {
  ModelShape model;
  LossKind loss = LossKind::cross_entropy;
  std::int64_t batch_size = 0;  ///< rows of the global batch
  std::int64_t epochs = 0;
  std::int64_t steps = 0;     ///< > 0: stops after so many
  std::int64_t patience = 0;  ///< > 0: stops after so many epochs without a better validation loss
  std::uint64_t seed = 0;
  OptimizerOptions optimizer;
  RateSchedule schedule;  ///< its `steps` is set by the trainer
};

/// A step's loss, the same on every rank.
struct StepRecord {
  std::int64_t step = 0;   ///< from 1
  std::int64_t epoch = 0;  ///< from 1
  double train_loss = 0;   ///< mean over the batch, before the update
  double lr = 0;
  bool finite_weights = true;  ///< after the update
};

/// Mean loss and share of right answers over a table.
struct Score {
  double loss = 0;
  double accuracy = 0;  ///< meaningless for regression
};

struct EpochRecord {
  std::int64_t epoch = 0;  ///< from 1
  std::int64_t steps = 0;  ///< done in all
  double train_loss = 0;   ///< mean over the epoch's rows, each before its update
  std::optional<Score> validation, test;
  double seconds = 0;  ///< training only
  double samples_per_second = 0;
};

/// Where wall time went, in seconds, on this rank.
struct TimeSpent {
  double compute = 0;
  double exposed_communication = 0;
  double input = 0;
  double evaluation = 0;
  double other = 0;
  double total() const { return compute + exposed_communication + input + evaluation + other; }
  double training() const { return total() - evaluation; }
};

/// What the trainer tells while it runs. Called on every rank; the values agree.
class TrainingListener {
 public:
  virtual ~TrainingListener() = default;
  virtual void on_steps(const std::vector<StepRecord>& steps) = 0;
  virtual void on_epoch(const EpochRecord& epoch) = 0;
};

/// Mini-batch training of a dense network: each step takes a global batch, every rank its share of the rows.
class Trainer {
 public:
  /// @throws InputError when options and data do not fit
  Trainer(MeshRank& rank, const SharedData& data, const TrainerOptions& options);

  /// Rows of the largest batch, over all ranks, that training or evaluation forms.
  static std::int64_t largest_batch(const SharedData& data, const TrainerOptions& options);

  std::int64_t steps_per_epoch() const;
  std::int64_t total_steps() const;  ///< @throws InputError if they are more than 63 bits count
  std::int64_t steps_done() const { return step_; }

  /// @throws InputError on every rank, naming the first step whose loss, or a weight after it, is NaN or infinite. It
  /// is seen when losses are next read: after at most kFlushSteps steps, and before anything after them is reported.
  void run(TrainingListener& listener);
  /// One step on the rows at `positions` of the epoch's order.
  void step(const Permutation& order, Range positions);
  Score evaluate(const DeviceTable& table);
  const DeviceTable& train_table() const { return train_; }
  /// Forgets the losses of steps since the last report: for whoever calls step() directly.
  void discard_losses() { pending_.clear(), pending_rows_.clear(); }

  const Model& model() const { return model_; }
  const TimeSpent& time() const { return time_; }
  std::int64_t samples_seen() const { return samples_; }
  /// Multiplications and additions of the matrix products that this rank ran in training steps.
  double flops() const { return flops_; }

 private:
  static constexpr std::int64_t kFlushSteps = 64;

  /// What a step leaves in the device's memory: f64 all.
  struct StepSums {
    LossSums loss;
    double diverged;  ///< > 0 once summed over the ranks: a new weight is NaN or infinite
  };
  static constexpr std::int64_t kStepSums = sizeof(StepSums) / sizeof(double);

  void clear_losses();
  std::vector<StepRecord> flush_losses();
  /// Tells the listener of `steps`, up to the one at which training diverges.
  void report(const std::vector<StepRecord>& steps, TrainingListener& listener);
  /// @throws InputError: training has diverged
  void require_finite(double loss, std::int64_t step, const char* what) const;
  bool run_epoch(std::int64_t epoch, TrainingListener& listener);
  bool out_of_patience(double loss);
  Score sum_scores(const DeviceTable& table);
  /// The sums of `values` over the ranks, on the host; waits for them.
  std::vector<double> sum_over_ranks(VectorView values);

  MeshRank& rank_;
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
