#pragma once

#include <optional>
#include <vector>

#include "distributed/rank_context.hpp"
#include "kernels/math.hpp"

namespace recombine {

/// A step of training. Equal on all ranks, except for the two times, which each rank measures.
struct StepRecord {
  std::int64_t step = 0;   ///< from 1
  std::int64_t epoch = 0;  ///< from 1
  double train_loss = 0;   ///< mean over the batch, before the update
  double lr = 0;
  bool finite_weights = true;                ///< after the update
  std::int64_t rows = 0;                     ///< of the batch
  std::optional<double> gradient_norm = {};  ///< of the whole gradient, before clipping; none: not measured
  double seconds = 0;                        ///< wall time; on a GPU the mean over the steps that are reported together
  std::optional<double> exposed_seconds = {};  ///< of exposed communication; none: the host cannot measure it
};

/// Returns the sums of `values` (f64, in the device's memory) over all ranks, with the same bits on every rank. Waits
/// for them.
std::vector<double> sum_over_ranks(RankContext& context, VectorView values);

/// The losses and norms of the latest steps. They stay in the device's memory until flush(), so no step waits for the
/// host.
class StepLosses {
 public:
  static constexpr std::size_t kMostSteps = 64;

  explicit StepLosses(RankContext& context);

  /// Where a step adds its sums. All fields are f64.
  struct StepSums {
    LossSums loss;
    double diverged;             ///< after the sum over the ranks, > 0 if a new weight is NaN or infinite
    double gradient_square_sum;  ///< 0 if the step does not measure the norm
  };
  /// Zeroed sums for the next step, in the device's memory. @pre !full()
  StepSums* next();
  /// Call it after the step that uses next() is enqueued. flush() completes `step`: train_loss, finite_weights, and
  /// gradient_norm if that is not none.
  void add(const StepRecord& step) { steps_.push_back(step); }
  bool full() const { return steps_.size() == kMostSteps; }

  /// The steps since the last flush(), with their losses. Waits for the device and for the other ranks.
  std::vector<StepRecord> flush();
  /// Drops the steps since the last flush().
  void discard() { steps_.clear(); }

 private:
  RankContext& context_;
  Buffer sums_;
  std::vector<StepRecord> steps_;
};

}  // namespace recombine
