// C = A B on tensor cores: bf16 operands, f32 sums. A block of 8 warps computes a 128 x 128 tile of C.
//
//        tile of C, 128 x 128                 time -->
//      +------+------+------+------+          copies   | tile 0 | tile 1 | tile 2 | tile 3 |
//      |warp 0|warp 1|warp 2|warp 3| 64       products          | tile 0 | tile 1 | tile 2 | tile 3 |
//      | 64x32|      |      |      |          buffer       0        1        0        1
//      +------+------+------+------+
//      |warp 4|warp 5|warp 6|warp 7| 64       cp.async copies from memory into shared memory, without registers,
//      |      |      |      |      |          while the tensor cores multiply the tiles of the other buffer.
//      +------+------+------+------+
//         32     32     32     32
//
// One wmma::mma_sync multiplies fragments of 16 x 16 x 16. A warp's 64 x 32 part of C is 4 x 2 fragments, which stay in
// registers until the end. For each step of 16 along k, the warp loads 6 fragments and makes 8 products.
//
// A tile in shared memory has the same layout as its operand in memory, transposed or not; the fragments are loaded by
// rows or by columns. Each row has 8 elements of padding, so the rows of a fragment are in different banks.

#include <type_traits>

#include <cuda_bf16.h>
#include <mma.h>

#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/operand.cuh"

namespace recombine::cuda {

namespace {

using nvcuda::wmma::fragment;

constexpr int kTile = 128;  // rows and columns of C
constexpr int kDepth = 32;  // of k in a step
constexpr int kFragment = 16;
constexpr int kThreads = 256;
constexpr int kDown = 4;  // fragments of a warp
constexpr int kAcross = 2;
constexpr int kWarpsAcross = kTile / (kAcross * kFragment);
constexpr int kChunk = 8;  // elements of a 16-byte copy
constexpr int kPad = 8;

/// The layout in shared memory of a tile of 128 (along m or n) x 32 (along k): kRows rows of kCols elements.
template <bool along_depth>  // k runs along the rows
struct TileShape {
  static constexpr bool kAlongDepth = along_depth;
  static constexpr int kRows = along_depth ? kTile : kDepth;
  static constexpr int kCols = along_depth ? kDepth : kTile;
  static constexpr int kPitch = kCols + kPad;

  /// The offset of element (at, l): `at` along m or n, `l` along k.
  __device__ static constexpr int offset(int at, int l) { return along_depth ? at * kPitch + l : l * kPitch + at; }
};

constexpr int kTileElements = kTile * (kDepth + kPad);  // the larger of the two shapes

/// An operand as it is stored in memory.
struct Stored {
  const __nv_bfloat16* data;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t ld;
  bool chunked;  // every row begins at a multiple of 16 bytes
};

/// Begins the copy of 16 bytes.
__device__ __forceinline__ void copy_async(__nv_bfloat16* shared, const __nv_bfloat16* global) {
  const auto to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(global) : "memory");
}

__device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/// Waits for all copies except those of the latest commit.
__device__ __forceinline__ void wait_for_copies_before_last() { asm volatile("cp.async.wait_group 1;" ::: "memory"); }

/// Begins the copy of a tile of x. Its first element is (row, col); outside x it holds zeros.
template <class Shape>
__device__ __forceinline__ void load_tile(const Stored& x, std::int64_t row, std::int64_t col, __nv_bfloat16* tile) {
  constexpr int kChunksOfRow = Shape::kCols / kChunk;
#pragma unroll
  for (int e = 0; e < Shape::kRows * kChunksOfRow / kThreads; ++e) {
    const int item = static_cast<int>(threadIdx.x) + e * kThreads;
    const std::int64_t i = row + item / kChunksOfRow;
    const std::int64_t j = col + item % kChunksOfRow * kChunk;
    __nv_bfloat16* const to = tile + item / kChunksOfRow * Shape::kPitch + item % kChunksOfRow * kChunk;
    const std::int64_t left = i < x.rows ? x.cols - j : 0;
    const int valid = left >= kChunk ? kChunk : left > 0 ? static_cast<int>(left) : 0;
    const __nv_bfloat16* const from = valid > 0 ? x.data + i * x.ld + j : x.data;
    if (x.chunked && valid == kChunk) {
      copy_async(to, from);
    } else {
#pragma unroll
      for (int c = 0; c < kChunk; ++c) to[c] = c < valid ? from[c] : __nv_bfloat16{};
    }
  }
}

struct TensorProduct {
  Stored a;
  Stored b;
  float* c;
  std::int64_t ldc;
  std::int64_t m, n, k;
  float alpha;
  float beta;
};

using Sums = fragment<nvcuda::wmma::accumulator, kFragment, kFragment, kFragment, float>;

/// sums += A B of one step, for this warp's part of the tile. The part begins at (row, col) of the tile.
template <class AShape, class BShape>
__device__ __forceinline__ void multiply_tiles(const __nv_bfloat16* a_tile, const __nv_bfloat16* b_tile, int row,
                                               int col, Sums (&sums)[kDown][kAcross]) {
  using nvcuda::wmma::col_major;
  using nvcuda::wmma::row_major;
  using ALayout = std::conditional_t<AShape::kAlongDepth, row_major, col_major>;
  using BLayout = std::conditional_t<BShape::kAlongDepth, col_major, row_major>;
  fragment<nvcuda::wmma::matrix_a, kFragment, kFragment, kFragment, __nv_bfloat16, ALayout> a[kDown];
  fragment<nvcuda::wmma::matrix_b, kFragment, kFragment, kFragment, __nv_bfloat16, BLayout> b[kAcross];
#pragma unroll
  for (int l = 0; l < kDepth; l += kFragment) {
#pragma unroll
    for (int i = 0; i < kDown; ++i) {
      nvcuda::wmma::load_matrix_sync(a[i], a_tile + AShape::offset(row + i * kFragment, l), AShape::kPitch);
    }
#pragma unroll
    for (int j = 0; j < kAcross; ++j) {
      nvcuda::wmma::load_matrix_sync(b[j], b_tile + BShape::offset(col + j * kFragment, l), BShape::kPitch);
    }
#pragma unroll
    for (int i = 0; i < kDown; ++i) {
#pragma unroll
      for (int j = 0; j < kAcross; ++j) nvcuda::wmma::mma_sync(sums[i][j], a[i], b[j], sums[i][j]);
    }
  }
}

/// Writes a fragment to C through shared memory, because wmma does not specify which thread holds which element.
__device__ __forceinline__ void write_fragment(const TensorProduct& p, std::int64_t row, std::int64_t col,
                                               const Sums& sums, float* shared) {
  nvcuda::wmma::store_matrix_sync(shared, sums, kFragment, nvcuda::wmma::mem_row_major);
  __syncwarp();
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int e = 0; e < kFragment * kFragment / 32; ++e) {
    const int at = lane + e * 32;
    const std::int64_t i = row + at / kFragment;
    const std::int64_t j = col + at % kFragment;
    if (i >= p.m || j >= p.n) continue;
    float* const to = p.c + i * p.ldc + j;
    *to = p.beta == 0 ? p.alpha * shared[at] : p.alpha * shared[at] + p.beta * *to;
  }
  __syncwarp();
}

template <bool trans_a, bool trans_b>
__global__ void __launch_bounds__(kThreads) tensor_kernel(TensorProduct p, std::int64_t tiles_across) {
  using AShape = TileShape<!trans_a>;
  using BShape = TileShape<trans_b>;
  __shared__ __align__(128) __nv_bfloat16 tiles[2][2][kTileElements];  // buffer, operand
  const std::int64_t first_row = blockIdx.x / tiles_across * kTile;
  const std::int64_t first_col = blockIdx.x % tiles_across * kTile;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int row = warp / kWarpsAcross * kDown * kFragment;  // of the warp's part in the tile
  const int col = warp % kWarpsAcross * kAcross * kFragment;
  Sums sums[kDown][kAcross];
#pragma unroll
  for (int i = 0; i < kDown; ++i) {
#pragma unroll
    for (int j = 0; j < kAcross; ++j) nvcuda::wmma::fill_fragment(sums[i][j], 0.0F);
  }
  const auto load = [&](std::int64_t depth, int buffer) {
    load_tile<AShape>(p.a, trans_a ? depth : first_row, trans_a ? first_row : depth, tiles[buffer][0]);
    load_tile<BShape>(p.b, trans_b ? first_col : depth, trans_b ? depth : first_col, tiles[buffer][1]);
  };
  load(0, 0);
  commit_copies();
  int buffer = 0;
  for (std::int64_t depth = 0; depth < p.k; depth += kDepth, buffer = 1 - buffer) {
    if (depth + kDepth < p.k) load(depth + kDepth, 1 - buffer);
    commit_copies();  // an empty group in the last step
    wait_for_copies_before_last();
    __syncthreads();  // the copies of all threads have arrived
    multiply_tiles<AShape, BShape>(tiles[buffer][0], tiles[buffer][1], row, col, sums);
    __syncthreads();  // now the buffer may be overwritten
  }
  float* const shared = reinterpret_cast<float*>(tiles) + warp * kFragment * kFragment;
#pragma unroll
  for (int i = 0; i < kDown; ++i) {
#pragma unroll
    for (int j = 0; j < kAcross; ++j) {
      write_fragment(p, first_row + row + i * kFragment, first_col + col + j * kFragment, sums[i][j], shared);
    }
  }
}

Stored stored(const ConstMatrixView& x) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(x.data) % 16 == 0 && (x.rows <= 1 || x.ld % kChunk == 0);
  return {reinterpret_cast<const __nv_bfloat16*>(x.data), x.rows, x.cols, x.ld, aligned};
}

template <bool trans_a, bool trans_b>
void tensor(cudaStream_t stream, const Gemm& gemm) {
  const std::int64_t k = trans_a ? gemm.a.rows : gemm.a.cols;
  const TensorProduct p = {stored(gemm.a),
                           stored(gemm.b),
                           gemm.c.as<float>(),
                           gemm.c.ld,
                           gemm.c.rows,
                           gemm.c.cols,
                           k,
                           static_cast<float>(gemm.alpha),
                           static_cast<float>(gemm.beta)};
  const std::int64_t across = ceil_div(p.n, kTile);
  const auto blocks = static_cast<unsigned>(across * ceil_div(p.m, kTile));
  tensor_kernel<trans_a, trans_b><<<blocks, kThreads, 0, stream>>>(p, across);
  check_launch("gemm_tensor");
}

}  // namespace

void gemm_tensor(cudaStream_t stream, const Gemm& gemm) {
  if (gemm.a.type != DataType::bf16) refuse_type("gemm_tensor", gemm.a.type);
  const bool trans_b = gemm.trans_b == Transpose::yes;
  if (gemm.trans_a == Transpose::yes) {
    return trans_b ? tensor<true, true>(stream, gemm) : tensor<true, false>(stream, gemm);
  }
  return trans_b ? tensor<false, true>(stream, gemm) : tensor<false, false>(stream, gemm);
}

}  // namespace recombine::cuda
