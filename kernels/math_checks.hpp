#pragma once

#include "kernels/math.hpp"

namespace recombine {

/// What every device's math asks of a call. @throws Error where its types or sizes do not go together
void check_gather(const GatherRows& gather);
void check_axpby(ConstVectorView x, ConstVectorView y);
void check_fingerprint(const Fingerprint& call);
void check_squared_error(const SquaredError& loss);

/// Columns of all parts of the outputs.
inline std::int64_t columns_of(const SquaredError& loss) {
  return loss.global_cols > 0 ? loss.global_cols : loss.outputs.cols;
}

}  // namespace recombine
