#pragma once

#include <cstdint>

#include "kernels/cuda/convert.cuh"
#include "kernels/math.hpp"

namespace recombine::cuda {

/// op(A) or op(B): element (i, j) is at i * row_stride + j * col_stride; one of the two is 1.
template <class T>
struct Operand {
  const T* data;
  std::int64_t row_stride;
  std::int64_t col_stride;

  __device__ __forceinline__ T at(std::int64_t i, std::int64_t j) const {
    return data[i * row_stride + j * col_stride];
  }
};

template <class T>
Operand<T> operand_of(const ConstMatrixView& x, Transpose transpose) {
  if (transpose == Transpose::yes) return {x.as<T>(), 1, x.ld};
  return {x.as<T>(), x.ld, 1};
}

/// C = alpha op(A) op(B) + beta C.   T: the type of A and B; Sum: the type of the sums; Out: the type of C
template <class T, class Sum, class Out = Sum>
struct Product {
  Operand<T> a;  // [m,k]
  Operand<T> b;  // [k,n]
  Out* c;        // [m,n]
  std::int64_t ldc;
  std::int64_t m, n, k;
  Sum alpha;
  Sum beta;

  /// If beta = 0, C is not read, so it need not be initialised.
  __device__ __forceinline__ void write(std::int64_t i, std::int64_t j, Sum sum) const {
    Out* const to = c + i * ldc + j;
    *to = converted<Out>(beta == 0 ? alpha * sum : alpha * sum + beta * converted<Sum>(*to));
  }
};

template <class T, class Sum, class Out = Sum>
Product<T, Sum, Out> product_of(const Gemm& gemm) {
  const std::int64_t k = gemm.trans_a == Transpose::yes ? gemm.a.rows : gemm.a.cols;
  return {operand_of<T>(gemm.a, gemm.trans_a),
          operand_of<T>(gemm.b, gemm.trans_b),
          gemm.c.as<Out>(),
          gemm.c.ld,
          gemm.c.rows,
          gemm.c.cols,
          k,
          static_cast<Sum>(gemm.alpha),
          static_cast<Sum>(gemm.beta)};
}

}  // namespace recombine::cuda
