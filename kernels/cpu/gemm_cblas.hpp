#pragma once

#include "kernels/gemm_shape.hpp"

namespace recombine::cpu {

/// Whether all sizes and leading dimensions fit CBLAS's 32 bits.
bool fits_cblas(const Gemm& gemm, const GemmShape& shape);

/// C = alpha op(A) op(B) + beta C by CBLAS (OpenBLAS), f32 or f64, on as many threads as oneDNN has.
/// @pre no bias, no activation, all sizes > 0
/// @throws Error naming the shape where it does not fit
void gemm_cblas(const Gemm& gemm, const GemmShape& shape);

}  // namespace recombine::cpu
