#pragma once

#include "kernels/gemm_shape.hpp"

namespace recombine::cpu {

/// True if all sizes and leading dimensions fit in CBLAS's 32-bit integers.
bool fits_cblas(const Gemm& gemm, const GemmShape& shape);

/// C = alpha op(A) op(B) + beta C by CBLAS (OpenBLAS), f32 or f64, on library_threads() threads.
/// @pre no bias, no activation, all sizes > 0
/// @throws Error with the shape if it does not fit CBLAS
void gemm_cblas(const Gemm& gemm, const GemmShape& shape);

}  // namespace recombine::cpu
