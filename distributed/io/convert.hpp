#pragma once

#include "kernels/math.hpp"
#include "kernels/matrix.hpp"

namespace recombine {

/// to = from or its transpose, in the host's memory and the calling thread: f32, f64 and bf16 in any pair,
/// rounded to nearest even where the type is narrower. @throws Error for other types, or where the shapes do
/// not fit
void convert(ConstMatrixView from, Transpose transpose, MatrixView to);

}  // namespace recombine
