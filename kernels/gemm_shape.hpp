#pragma once

#include "kernels/math.hpp"

namespace recombine {

/// C[m,n] = op(A)[m,k] op(B)[k,n]
struct GemmShape {
  std::int64_t m, n, k;
};

/// The shape of the product. @throws Error if the operands' types or sizes do not match
GemmShape shape_of(const Gemm& gemm);

/// True if the result is rounded from f32 to bf16.
inline bool rounds_result(const Gemm& gemm) { return gemm.c.type == DataType::bf16; }

inline bool has_epilogue(const Gemm& gemm) { return gemm.bias.size > 0 || gemm.activation != Activation::identity; }

}  // namespace recombine
