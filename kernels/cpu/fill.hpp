#pragma once

#include "kernels/math.hpp"

namespace recombine::cpu {

/// Math::fill on all threads. @throws Error if x is not f32, f64 or bf16
void fill_uniform(const MatrixView& x, const RandomFill& random);

}  // namespace recombine::cpu
