#pragma once

#include "src/nn/model.hpp"

namespace recombine {

enum class ScheduleKind { constant, cosine, step };

/// The learning rate of each step. The warm-up raises it linearly from lr / warmup to lr. Then it is constant; or
/// follows half a cosine down to 0 (Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts); or is divided by 10
/// after 1/3 and after 2/3 of the steps that follow the warm-up.
struct RateSchedule {
  ScheduleKind kind = ScheduleKind::cosine;
  double lr = 0.001;
  std::int64_t warmup = 0;  ///< steps
  std::int64_t steps = 0;   ///< of the whole run

  /// @param step the first step is 0
  double at(std::int64_t step) const;
};

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adamw;
  double weight_decay = 0;
  double clip_norm = 0;  ///< 0: no clipping
};

/// Applies summed gradients to a model's weights.
class Optimizer {
 public:
  Optimizer(RankContext& context, Model& model, const OptimizerOptions& options);

  bool clips() const { return options_.clip_norm > 0; }
  /// @param step  from 1
  /// @param diverged  in the device's memory; the step sets it to 1 if a new weight is NaN or infinite
  void begin_step(std::int64_t step, double lr, double* diverged);
  /// Sums the squares of all elements of the gradient, on any mesh, each element once. Call it before update() if
  /// clips(). @pre the gradient is summed over i
  void measure_norm();
  /// Adds squares of elements of the gradient to *sum, in the device's memory. The sum over all ranks of the mesh then
  /// counts each element once. @pre the gradient is summed over i; if clips(), measure_norm() was called
  void add_square_sum(double* sum);
  /// Updates the weights in `range` of the flat buffer. @throws Error if its gradient is not summed over i
  void update(Range range);

 private:
  RankContext& context_;
  Model& model_;
  OptimizerOptions options_;
  Buffer first_moment_, second_moment_;
  Buffer square_sum_;                ///< one f64
  std::vector<Range> squared_here_;  ///< of the flat gradient: the ranks at this j and k add their squares
  std::int64_t step_ = 0;
  double lr_ = 0;
  double* diverged_ = nullptr;
};

}  // namespace recombine
