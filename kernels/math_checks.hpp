#pragma once

#include "kernels/math.hpp"

namespace recombine {

/// Checks of a call that all devices share. @throws Error if its types or sizes do not match
void check_gather(const GatherRows& gather);
/// @throws Error unless the gradient of a loss of `outputs` is f32 or bf16 with the same shape, or empty
void check_loss_gradient(const ConstMatrixView& outputs, const MatrixView& gradient);
void check_axpby(ConstVectorView x, ConstVectorView y);
void check_fingerprint(const Fingerprint& call);
void check_squared_error(const SquaredError& loss);
void check_bias_activation(const BiasActivation& call);
void check_activation_gradient(const ActivationGradient& call);

/// dLoss/dOutput of the call, which may be in `gradient`.
inline ConstMatrixView incoming_of(const ActivationGradient& call) {
  return call.incoming.data ? call.incoming : ConstMatrixView(call.gradient);
}

/// The number of columns of all parts of the outputs together.
inline std::int64_t columns_of(const SquaredError& loss) {
  return loss.global_cols > 0 ? loss.global_cols : loss.outputs.cols;
}

}  // namespace recombine
