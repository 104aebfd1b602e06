#pragma once

#include "src/nn/model.hpp"
#include "src/nn/trained_tensors.hpp"

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
  std::string to_string() const;  ///< "cosine from 0.001 over 1880 steps, after 200 steps of warm-up"
};

/// The number of moments of each weight.
int moments_of(OptimizerKind kind);

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adamw;
  double weight_decay = 0;
  double clip_norm = 0;  ///< 0: no clipping
};

/// Applies summed gradients to a model's weights.
class Optimizer {
 public:
  /// @param values  of the running step, in the device's memory: the optimizer reads its rates, and sets sums.bad_weight
  Optimizer(RankContext& context, Model& model, const OptimizerOptions& options, StepValues* values);

  VectorView first_moment() const { return first_moment_.view(); }    ///< flat, like the weights; empty for sgd
  VectorView second_moment() const { return second_moment_.view(); }  ///< empty except for adamw
  TrainedTensors tensors() const;
  bool clips() const { return options_.clip_norm > 0; }
  /// Sums the squares of all elements of the gradient, on any mesh, each element once. Call it before update() if
  /// clips(). @pre the gradient is summed over i
  void measure_norm();
  /// Adds squares of elements of the gradient to *sum, in the device's memory. The sum over all ranks of the mesh then
  /// counts each element once. @pre the gradient is summed over i; if clips(), measure_norm() was called
  void add_square_sum(double* sum);
  /// Enqueues on `stream` the update of the weights in `range` of the flat buffer. @throws Error if the gradient is not
  /// summed over i
  void update(Stream& stream, Range range);

 private:
  RankContext& context_;
  Model& model_;
  OptimizerOptions options_;
  StepValues* values_;
  Buffer first_moment_, second_moment_;
  Buffer undecayed_;                 ///< ranges of the flat buffers without weight decay, in the form of OptimizerStep
  std::vector<Range> squared_here_;  ///< of the flat gradient: the ranks at this j and k add their squares
};

}  // namespace recombine
