#pragma once

#include <array>
#include <optional>
#include <vector>

#include "distributed/rank_context.hpp"
#include "kernels/math.hpp"

namespace recombine {

/// A step of training. Equal on all ranks, except for the two times, which each rank measures, and bad_outputs and
/// bad_weight.
struct StepRecord {
  std::int64_t step = 0;   ///< from 1
  std::int64_t epoch = 0;  ///< from 1
  double train_loss = 0;   ///< mean over the batch, before the update
  double lr = 0;
  bool finite_weights = true;                ///< after the update
  double bad_outputs = 0;                    ///< StepSums::bad_outputs of this rank
  double bad_weight = 0;                     ///< StepSums::bad_weight of this rank
  std::int64_t rows = 0;                     ///< of the batch
  std::optional<double> gradient_norm = {};  ///< of the whole gradient, before clipping; none: not measured
  /// Hash of the row numbers of the batch, in their order; the same on any mesh. None: not computed
  std::optional<std::uint64_t> order_hash = {};
  double seconds = 0;  ///< wall time; on a GPU the mean over the steps that are reported together
  std::optional<double> exposed_seconds = {};  ///< of exposed communication; none: the host cannot measure it
};

/// Returns the sums of `values` (f64, in the device's memory) over all ranks, with the same bits on every rank. Waits
/// for them.
std::vector<double> sum_over_ranks(RankContext& context, VectorView values);

/// Gives each step its input and collects its sums. Every step finds its values at the same address, current(), so the
/// same calls enqueue every step. No step waits for the host:
///
///     host     inputs[n] = ...                           inputs[n+1] = ...                        flush()
///     device     begin step n: reads inputs[n]  ->  step n adds to sums  ->  begin step n+1: results[n] = sums
class StepRing {
 public:
  static constexpr std::size_t kMostSteps = 64;  ///< between two flushes
  static constexpr std::size_t kMostAhead = 2;   ///< unfinished steps on the device, at most

  explicit StepRing(RankContext& context);

  /// Sets the input of the next step. Waits until at most kMostAhead - 1 earlier steps are unfinished.
  /// @pre !full()
  void push(const StepInput& input);
  /// Enqueues the start of the step. Work after it finds the step's input and zeroed sums in current().
  void begin();
  /// The values of the running step, in the device's memory.
  StepValues* current() const { return reinterpret_cast<StepValues*>(current_.view().data); }
  /// Call it after the step is enqueued. flush() completes `step`: train_loss, finite_weights, bad_outputs, bad_weight,
  /// and gradient_norm unless that is none.
  void add(const StepRecord& step);
  bool empty() const { return steps_.empty(); }
  bool full() const { return steps_.size() == kMostSteps; }

  /// The steps since the last flush(), with their losses. Waits for the device and for the other ranks.
  std::vector<StepRecord> flush();
  /// Drops the steps since the last flush(). Waits for the device.
  void discard();

 private:
  /// Counts steps from 0 again. @pre no step is running
  void restart();
  StepInput* inputs() const { return reinterpret_cast<StepInput*>(inputs_.view().data); }

  RankContext& context_;
  Buffer inputs_;                       ///< [kMostSteps] StepInput, in the host's memory
  Buffer current_;                      ///< one StepValues, as f64
  Buffer results_;                      ///< [kMostSteps] StepSums, as f64
  std::array<Event, kMostAhead> ends_;  ///< the ends of the latest steps
  std::vector<StepRecord> steps_;
};

}  // namespace recombine
