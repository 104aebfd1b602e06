// C = A B by tiles: a block of threads computes a 64 x 64 tile of C; its threads share the elements that they read.
//
//                                      B
//                              +-----+-----+-----+
//                              |     |#####|     |   16 rows of B,      For each step of 16 along k:
//                              +-----+#####+-----+   64 columns           1. all 256 threads copy a tile of A and
//                              |     |  v  |     |                           one of B into shared memory;
//                              +-----+-----+-----+                        2. each thread keeps 4 x 4 sums in
//            +----+---+---+    +-----+-----+-----+                           registers: for each of the 16, 4
//            |    |   |   |    |     |     |     |                           numbers of A and 4 of B give 16 products.
//            +----+---+---+    +-----+-----+-----+
//   64 rows  |####|-->|   |    |     |#####|     |   a tile of C:       An element is read from memory once for 64
//   of A, 16 +----+---+---+    +-----+-----+-----+   16 x 16 threads    uses, and from shared memory once for 4.
//   columns        A                   C
//
// In shared memory, k is the slowest index of a tile, so the four rows (or columns) of a thread are neighbours.
// Outside A and B a tile holds zeros, which add nothing.

#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/operand.cuh"

namespace recombine::cuda {

namespace {

constexpr int kTile = 64;             // rows and columns of C
constexpr int kDepth = 16;            // of k in a step
constexpr int kSide = 16;             // threads along each side
constexpr int kEach = kTile / kSide;  // rows and columns of a thread
constexpr int kThreads = kSide * kSide;
constexpr int kPitch = kTile + 4;  // row length of a tile in shared memory: spreads a column over the banks

/// Copies a tile of `x`: 64 rows from row `first`, 16 columns from `depth`. Neighbouring threads read neighbouring
/// elements. (B is given transposed, so the same code copies its tiles.)
template <class Sum, class T>
__device__ __forceinline__ void load_tile(const Operand<T>& x, std::int64_t first, std::int64_t rows,
                                          std::int64_t depth, std::int64_t cols, Sum (&tile)[kDepth][kPitch]) {
  const int thread = static_cast<int>(threadIdx.y * kSide + threadIdx.x);
  const bool along_depth = x.col_stride == 1;
  const int row = along_depth ? thread / kDepth : thread % kTile;
  const int col = along_depth ? thread % kDepth : thread / kTile;
#pragma unroll
  for (int e = 0; e < kTile * kDepth / kThreads; ++e) {
    const int i = along_depth ? row + e * (kThreads / kDepth) : row;
    const int l = along_depth ? col : col + e * (kThreads / kTile);
    const bool inside = first + i < rows && depth + l < cols;
    tile[l][i] = inside ? converted<Sum>(x.at(first + i, depth + l)) : Sum{0};
  }
}

template <class T>
__device__ __forceinline__ Operand<T> transposed(const Operand<T>& x) {
  return {x.data, x.col_stride, x.row_stride};
}

template <class T, class Sum>
__global__ void __launch_bounds__(kThreads) tiled_kernel(Product<T, Sum> p, std::int64_t tiles_across) {
  __shared__ __align__(16) Sum a_tile[kDepth][kPitch];
  __shared__ __align__(16) Sum b_tile[kDepth][kPitch];
  const std::int64_t first_row = blockIdx.x / tiles_across * kTile;
  const std::int64_t first_col = blockIdx.x % tiles_across * kTile;
  const int row = static_cast<int>(threadIdx.y) * kEach;
  const int col = static_cast<int>(threadIdx.x) * kEach;
  Sum sum[kEach][kEach] = {};
  for (std::int64_t depth = 0; depth < p.k; depth += kDepth) {
    load_tile(p.a, first_row, p.m, depth, p.k, a_tile);
    load_tile(transposed(p.b), first_col, p.n, depth, p.k, b_tile);
    __syncthreads();  // the tiles are complete
#pragma unroll
    for (int l = 0; l < kDepth; ++l) {
      Sum a[kEach];
      Sum b[kEach];
#pragma unroll
      for (int e = 0; e < kEach; ++e) {
        a[e] = a_tile[l][row + e];
        b[e] = b_tile[l][col + e];
      }
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
#pragma unroll
        for (int j = 0; j < kEach; ++j) sum[i][j] += a[i] * b[j];
      }
    }
    __syncthreads();  // no thread reads the tiles any more
  }
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
#pragma unroll
    for (int j = 0; j < kEach; ++j) {
      const std::int64_t at_row = first_row + row + i;
      const std::int64_t at_col = first_col + col + j;
      if (at_row < p.m && at_col < p.n) p.write(at_row, at_col, sum[i][j]);
    }
  }
}

template <class T, class Sum>
void tiled(cudaStream_t stream, const Gemm& gemm) {
  const Product<T, Sum> p = product_of<T, Sum>(gemm);
  const std::int64_t across = ceil_div(p.n, kTile);
  const auto blocks = static_cast<unsigned>(across * ceil_div(p.m, kTile));
  tiled_kernel<<<blocks, dim3(kSide, kSide), 0, stream>>>(p, across);
  check_launch("gemm_tiled");
}

}  // namespace

void gemm_tiled(cudaStream_t stream, const Gemm& gemm) {
  switch (gemm.a.type) {
    case DataType::f32: return tiled<float, float>(stream, gemm);
    case DataType::f64: return tiled<double, double>(stream, gemm);
    case DataType::bf16: return tiled<BFloat16, float>(stream, gemm);
    default: refuse_type("gemm_tiled", gemm.a.type);
  }
}

}  // namespace recombine::cuda
