#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernels/ceil_div.hpp"
#include "src/nn/shared_data.hpp"
#include "src/nn/train_state.hpp"
#include "src/nn/training_control.hpp"
#include "src/nn/training_step.hpp"

namespace recombine {

struct TrainerOptions {
  ModelShape model;
  LossKind loss = LossKind::cross_entropy;
  std::int64_t batch_size = 0;  ///< rows of a micro-batch, over all ranks
  std::int64_t accumulate = 1;  ///< micro-batches whose gradients are summed in one step
  std::int64_t epochs = 0;
  std::int64_t steps = 0;     ///< > 0: training stops after this many steps
  std::int64_t patience = 0;  ///< > 0: training stops after this many epochs without a better validation loss
  KeptWeights kept = KeptWeights::last;
  std::int64_t norm_every = 0;      ///< > 0: every Nth step measures the gradient's norm; 0: only if it is clipped
  std::int64_t check_replicas = 0;  ///< > 0: replicas are compared after every Nth step, and always after an epoch
  std::int64_t also_evaluated = 0;  ///< rows of the training table, if the caller evaluates it: room for its batches
  std::uint64_t seed = 0;
  TablePlace tables = TablePlace::automatic;  ///< of a GPU
  OptimizerOptions optimizer;
  RateSchedule schedule;  ///< the trainer sets its `steps`
  /// Called on every rank if training diverges. Returns what the message expects; "": a smaller learning rate. Only the
  /// text of rank 0 is shown.
  std::function<std::string()> remedy = {};
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

/// The scores of all tables that have rows.
struct Scores {
  Score train;
  std::optional<Score> validation, test;
};

/// The wall time of this rank by use, in seconds.
struct TimeSpent {
  double compute = 0;
  double exposed_communication = 0;  ///< 0 on a GPU, whose waits the host cannot see: they are part of `compute`
  double input = 0;
  double evaluation = 0;
  double other = 0;
  double total() const { return compute + exposed_communication + input + evaluation + other; }
  double training() const { return total() - evaluation; }
};

/// Receives the trainer's records; override only what you need. Called on every rank. Losses and scores are equal on
/// all ranks.
class TrainingListener {
 public:
  virtual ~TrainingListener() = default;
  virtual void on_steps(const std::vector<StepRecord>& /*steps*/) {}
  virtual void on_epoch(const EpochRecord& /*epoch*/) {}
};

/// Mini-batch training of a dense network. Each step takes a global batch, and each rank its share of the batch's rows.
class Trainer {
 public:
  /// Rows of a batch in an evaluation, unless a batch of training has more.
  static constexpr std::int64_t kEvaluationBatch = 1000;

  /// @throws InputError if `options` do not match the data, or a count is less than 1
  Trainer(RankContext& context, const SharedData& data, const TrainerOptions& options);

  /// The most rows that a batch of training or evaluation has, over all ranks.
  static std::int64_t largest_batch(const SharedData& data, const TrainerOptions& options);

  std::int64_t batch_rows() const;  ///< of a step: batch_size * accumulate, but at most all training rows
  std::int64_t steps_per_epoch() const { return ceil_div(data_.train().rows(), batch_rows()); }
  std::int64_t total_steps() const;  ///< @throws InputError if there are 2^63 or more

  /// Optional: lets a GPU's libraries choose their algorithms before run(), not in its first step. Changes no weight.
  void prepare();

  /// Continues a run at `state`. @pre this trainer has trained no step; the weights and moments are those of `state`
  void resume(const TrainState& state) { state_ = state; }
  /// True if no step and no evaluation is left.
  bool is_over() const;

  enum class End { finished, stopped };
  /// Trains until the last step, or until `control` stops it. Calls control.save() at the end, and when `control` asks
  /// for it.
  /// @throws InputError on every rank if training diverges. The message names the first step whose loss is NaN or
  /// infinite, or whose update makes a weight NaN or infinite, and where it began (divergence.hpp). Losses are read every StepRing::kMostSteps steps, before
  /// a checkpoint, and at the end of an epoch; the error is thrown then, before a later step is reported.
  End run(TrainingListener& listener, TrainingControl& control);
  void run(TrainingListener& listener) {
    TrainingControl none;
    run(listener, none);
  }
  bool keeps_best() const { return options_.kept == KeptWeights::best; }
  /// Makes the weights of the best epoch those of the model. @pre keeps_best(), and there was such an epoch
  void use_best();
  /// Trains one step on the rows at `positions` in the order of the epoch.
  void step(const Permutation& order, Range positions);
  Score evaluate(const DeviceTable& table);
  /// Enqueues the forward pass of one evaluation batch: the rows of `table` from `first` on. Returns Y [batch,
  /// outputs], before softmax. Every rank of the mesh calls it.
  const DistMatrix& forward(const DeviceTable& table, std::int64_t first);
  /// Evaluates all tables with the current weights. Blocks; every rank of the mesh calls it.
  Scores evaluate_all();
  const DeviceTable& train_table() const { return train_; }
  const DeviceTable& validation_table() const { return validation_; }
  const DeviceTable& test_table() const { return test_; }
  /// Drops the losses of the steps since the last report. For callers of step().
  void discard_losses() { step_.ring().discard(); }

  /// Compares the weights and moments that several ranks hold, and returns the fingerprint of each of
  /// tensors(): see compare_replicas() of replicas.hpp. run() does this at the end of each epoch.
  /// @throws AgreedError on every rank if copies differ in a bit
  std::vector<std::uint64_t> compare_replicas();

  const Model& model() const { return model_; }
  Model& model() { return model_; }
  /// The weights, the moments, and the best weights if they are kept: what a checkpoint holds.
  TrainedTensors tensors() const;
  const RateSchedule& schedule() const { return options_.schedule; }
  const TimeSpent& time() const { return time_; }
  const TrainState& state() const { return state_; }
  /// The rows of the table in the order of the running epoch. @pre control.after_step() or control.save() runs
  const Permutation& order() const { return order_.value(); }
  /// Multiplications and additions of the matrix products that this rank ran in training steps.
  double flops() const { return flops_; }

 private:
  TableRoom table_room() const;
  /// Prepares the loader if a table is streamed.
  void make_stream();
  /// True if the epoch has rows left, and the run has steps left.
  bool has_step() const { return state_.position < data_.train().rows() && state_.step < total_steps(); }
  /// Trains one step of the epoch. Reports losses if this step reads them.
  void next(TrainingListener& listener);
  /// Evaluates and reports the epoch. Returns false if `control` stopped the evaluation; then the state is unchanged.
  bool end_epoch(TrainingListener& listener, TrainingControl& control);
  bool is_reported(std::int64_t step) const { return options_.norm_every > 0 && step % options_.norm_every == 0; }
  /// Seconds of exposed communication since context.exposed_seconds() was `waited`; 0 if the host cannot measure it.
  double exposed_since(double waited) const;
  bool measures_norm(std::int64_t step) const { return step_.clips() || is_reported(step); }
  void begin_epoch();
  void flush_losses(TrainingListener& listener);
  /// Passes `steps` to the listener, up to the step at which training diverges. @throws InputError if it does
  void report(const std::vector<StepRecord>& steps, TrainingListener& listener);
  /// @throws InputError if `loss` is not finite: training has diverged
  void require_finite(double loss, std::int64_t step, const char* what) const;
  /// Counts the validation loss of this epoch, and keeps the weights if it is the lowest so far.
  void count_validation(double loss);
  std::string remedy() const;  ///< what is expected if training diverges
  /// None if `control` stopped the evaluation.
  std::optional<Score> evaluate(const DeviceTable& table, TrainingControl& control);
  std::optional<Score> sum_scores(const DeviceTable& table, TrainingControl& control);

  RankContext& context_;
  const SharedData& data_;
  TrainerOptions options_;
  Model model_;
  BatchLoader loader_;
  BatchLoss loss_;
  DeviceTable train_, validation_, test_;
  TrainingStep step_;
  Buffer best_;  ///< the weights of the best epoch; empty if they are not kept
  TrainState state_;
  std::optional<Permutation> order_;  ///< of the epoch
  TimeSpent time_;
  TimeSpent time_before_epoch_;
  std::int64_t position_before_epoch_ = 0;  ///< rows of this epoch that an earlier run trained
  bool cut_ = false;  ///< the last step of the run cut an epoch short, and that epoch was reported
  double flops_ = 0;
  double reported_at_ = 0;  ///< when the steps that are not reported yet began
};

}  // namespace recombine
