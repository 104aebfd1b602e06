#pragma once

#include <cstdint>

#include "kernels/bias_correction.hpp"
#include "kernels/permutation.hpp"

/// The values that change from one training step to the next. They are in memory, not in the arguments of calls, so
/// that a device can repeat a step that was enqueued once (Device::make_replay).
namespace recombine {

/// The order in which a batch takes the rows of a table.
struct BatchOrder {
  Permutation permutation;
  std::int64_t position = 0;  ///< of the batch's first row
};

struct OptimizerRates {
  float lr = 0;
  float first_correction = 1;   ///< 1 / (1 - beta1^step); adamw
  float second_correction = 1;  ///< 1 / (1 - beta2^step); adamw

  /// @param step  from 1
  static OptimizerRates at(std::int64_t step, double lr, float beta1 = 0.9F, float beta2 = 0.999F) {
    return {static_cast<float>(lr), bias_correction(beta1, step), bias_correction(beta2, step)};
  }
};

/// What a step reads.
struct StepInput {
  BatchOrder order;
  OptimizerRates rates;
};

/// Every loss function adds to these sums: the losses of all rows to loss_sum, and the number of rows whose largest
/// output is the target's to `correct`.
struct LossSums {
  double loss_sum = 0;
  double correct = 0;
};

/// What a step computes besides the new weights. All fields are f64.
struct StepSums {
  LossSums loss;
  /// The largest mark of a hidden layer with NaN or infinite outputs on this rank; 0: none. The mark of layer l is
  /// layers - l, so this is the first such layer. After the sum over the ranks: > 0 if a rank has one
  double bad_outputs = 0;
  /// 1 + the flat index of this rank's last new weight that is NaN or infinite; 0: none. After the sum over the ranks:
  /// > 0 if a rank has one
  double bad_weight = 0;
  double gradient_square_sum = 0;  ///< 0 if the step does not measure the norm
};

/// The values of the running step.
struct StepValues {
  std::int64_t begun = 0;  ///< number of steps begun since it was set to 0
  StepInput input;
  StepSums sums;
  double clip_square_sum = 0;  ///< of the whole gradient, for clipping
};

}  // namespace recombine
