#pragma once

#include "kernels/math.hpp"

namespace recombine {

/// What every device's math asks of a call. @throws Error where its types or sizes do not go together
void check_gather(const GatherRows& gather);
void check_axpby(ConstVectorView x, ConstVectorView y);

}  // namespace recombine
