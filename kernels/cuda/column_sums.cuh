#pragma once

#include <algorithm>

#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/reduce.cuh"

/// Column sums of the elements that a functor returns. Rows are cut into pieces:
///
///              32 packs
///            +---------+---------+
///            | block   | block   |   rows of piece 0: thread (x, y) sums rows y, y + threads.y, ... of its pack;
///            +---------+---------+                    then the block adds its rows of threads in a binary tree
///            | block   | block   |   rows of piece 1
///            +---------+---------+
///                 |         |
///            the last block of each column of blocks adds the sums of its pieces
///
/// The number of pieces depends only on the shape, so the bits depend only on the shape and the data.
namespace recombine::cuda {

/// sums[col] = beta sums[col] + the sum of column `col` over all rows
struct ColumnSums {
  std::int64_t rows;
  std::int64_t cols;
  float* sums;
  float beta;
};

template <int width>
__device__ __forceinline__ void add_to(Pack<float, width>& sum, const Pack<float, width>& x) {
#pragma unroll
  for (int e = 0; e < width; ++e) sum.at[e] += x.at[e];
}

/// Adds the packs of all rows of a block's threads; row 0 gets the sums. `folded` has room for one pack per thread. It
/// may be used again after the block's next barrier.
template <int width>
__device__ __forceinline__ Pack<float, width> fold_rows(const Pack<float, width>& mine, Pack<float, width>* folded) {
  Pack<float, width>* const at = folded + thread_of_block();
  *at = mine;
  for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.y < half) add_to<width>(*at, at[half * blockDim.x]);
  }
  return *at;
}

/// Adds the pieces of a column in the block that ends last. Returns true in row 0 of its threads, which then have the
/// result in `sum`, and false in all other threads.
template <int width>
__device__ __forceinline__ bool add_pieces(Pack<float, width>& sum, std::int64_t pack, Pack<float, width>* folded,
                                           const Workspace& workspace) {
  using Part = Pack<float, width>;
  const std::int64_t row = std::int64_t{gridDim.x} * blockDim.x;
  Part* const parts = reinterpret_cast<Part*>(workspace.parts) + pack;
  if (threadIdx.y == 0) parts[blockIdx.y * row] = sum;
  if (!is_last_block(workspace.tickets + blockIdx.x, gridDim.y)) return false;
  sum = {};
#pragma unroll 4
  for (unsigned piece = threadIdx.y; piece < gridDim.y; piece += blockDim.y) {
    const float* const part = parts[piece * row].at;
#pragma unroll
    for (int e = 0; e < width; ++e) sum.at[e] += __ldcg(part + e);
  }
  sum = fold_rows<width>(sum, folded);
  return threadIdx.y == 0;
}

/// Blocks per multiprocessor: a thread then has 64 registers. Without this bound, ptxas gives GELU's gradient 32, and
/// spills.
inline constexpr int kColumnBlocks = 4;

/// Item: a functor (row, pack, count) -> Pack<float, width>. It is called once for each row and pack.
template <class Item, int width>
__global__ void __launch_bounds__(kBlockThreads, kColumnBlocks)
    column_sums_kernel(ColumnSums call, std::int64_t piece_rows, Item item, Workspace workspace) {
  __shared__ Pack<float, width> folded[kBlockThreads];
  const std::int64_t packs = ceil_div(call.cols, width);
  const std::int64_t pack = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const int count = pack < packs ? pack_count<width>(call.cols, pack) : 0;
  const std::int64_t begin = blockIdx.y * piece_rows;
  const std::int64_t end = begin + piece_rows < call.rows ? begin + piece_rows : call.rows;
  Pack<float, width> sum{};
  for (std::int64_t i = begin + threadIdx.y; i < end && count > 0; i += blockDim.y) {
    add_to<width>(sum, item(i, pack, count));
  }
  sum = fold_rows<width>(sum, folded);
  if (gridDim.y > 1 && !add_pieces<width>(sum, pack, folded, workspace)) return;
  if (threadIdx.y > 0) return;
  float* const to = call.sums + pack * width;
#pragma unroll
  for (int e = 0; e < width; ++e) {
    if (e < count) to[e] = sum.at[e] + (call.beta == 0 ? 0 : call.beta * to[e]);
  }
}

struct ColumnTiling {
  dim3 threads;
  dim3 blocks;  // y: pieces
};

/// @pre packs > 0
inline ColumnTiling column_tiling_of(std::int64_t rows, std::int64_t packs) {
  constexpr std::int64_t kEnoughBlocks = 1024;
  constexpr std::int64_t kRowsOfThread = 8;
  static_assert(kEnoughBlocks <= Workspace::kTickets &&
                kEnoughBlocks * 32 * sizeof(Pack<float, 8>) <= Workspace::kPartsBytes);
  std::int64_t x = 1;
  while (x < packs && x < 32) x *= 2;
  const std::int64_t y = kBlockThreads / x;
  const std::int64_t across = ceil_div(packs, x);
  const std::int64_t pieces =
      std::max<std::int64_t>(std::min(ceil_div(rows, y * kRowsOfThread), kEnoughBlocks / across), 1);
  return {dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)),
          dim3(static_cast<unsigned>(across), static_cast<unsigned>(pieces))};
}

/// Returns the elements of a matrix, f32 or bf16.
template <class T, int width>
struct MatrixItem {
  const T* x;
  std::int64_t ld;

  __device__ __forceinline__ Pack<float, width> operator()(std::int64_t i, std::int64_t pack, int count) const {
    return converted_pack<float>(load_pack<width>(x + i * ld + pack * width, count));
  }
};

/// sums[j] = beta sums[j] + the sum over rows of the items in column j. @pre rows are aligned for packs of `width`
template <int width, class Item>
void sum_columns(const Launch& launch, const char* name, const ColumnSums& call, const Item& item) {
  if (call.cols == 0) return;
  const ColumnTiling tiling = column_tiling_of(call.rows, ceil_div(call.cols, width));
  const std::int64_t piece_rows = ceil_div(call.rows, tiling.blocks.y);
  column_sums_kernel<Item, width>
      <<<tiling.blocks, tiling.threads, 0, launch.stream>>>(call, piece_rows, item, launch.workspace);
  check_launch(name);
}

}  // namespace recombine::cuda
