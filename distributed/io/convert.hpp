#pragma once

#include "kernels/math.hpp"
#include "kernels/matrix.hpp"

namespace recombine {

/// Copies `from` or its transpose into `to`, in the host's memory, on the calling thread. Converts between f32, f64 and
/// bf16; rounds to nearest even if the type is narrower. @throws Error for other types, or if the shapes do not fit
void convert(ConstMatrixView from, Transpose transpose, MatrixView to);

}  // namespace recombine
