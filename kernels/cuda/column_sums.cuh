#pragma once

#include <algorithm>

#include "kernels/cuda/elements.cuh"

/// Column sums of the elements that a functor returns. Rows are cut into pieces:
///
///              32 packs
///            +---------+---------+
///            | block   | block   |   rows of piece 0: thread (x, y) sums rows y, y + threads.y, ... of its pack;
///            +---------+---------+                    then the block adds its rows of threads in a binary tree
///            | block   | block   |   rows of piece 1
///            +---------+---------+
///                 |         |
///            a sum per piece and column; then a second kernel adds the pieces
///
/// The number of pieces depends only on the shape, so the bits depend only on the shape and the data.
namespace recombine::cuda {

/// sums[piece, col] = beta sums[piece, col] + the sum of column `col` over the rows of the piece
struct ColumnSums {
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t piece_rows;
  float* sums;
  float beta;
};

/// Item: a functor (row, pack, count) -> Pack<float, width>. It is called once for each row and pack.
template <class Item, int width>
__global__ void __launch_bounds__(kBlockThreads) column_sums_kernel(ColumnSums call, Item item) {
  __shared__ Pack<float, width> folded[kBlockThreads];
  const std::int64_t packs = ceil_div(call.cols, width);
  const std::int64_t pack = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const int count = pack < packs ? pack_count<width>(call.cols, pack) : 0;
  const std::int64_t begin = blockIdx.y * call.piece_rows;
  const std::int64_t end = begin + call.piece_rows < call.rows ? begin + call.piece_rows : call.rows;
  Pack<float, width> sum{};
  for (std::int64_t i = begin + threadIdx.y; i < end && count > 0; i += blockDim.y) {
    const Pack<float, width> x = item(i, pack, count);
#pragma unroll
    for (int e = 0; e < width; ++e) sum.at[e] += x.at[e];
  }
  Pack<float, width>* const mine = folded + threadIdx.y * blockDim.x + threadIdx.x;
  *mine = sum;
  for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.y >= half) continue;
#pragma unroll
    for (int e = 0; e < width; ++e) mine->at[e] += mine[half * blockDim.x].at[e];
  }
  if (threadIdx.y > 0) return;
  float* const to = call.sums + blockIdx.y * call.cols + pack * width;
#pragma unroll
  for (int e = 0; e < width; ++e) {
    if (e < count) to[e] = mine->at[e] + (call.beta == 0 ? 0 : call.beta * to[e]);
  }
}

struct ColumnTiling {
  dim3 threads;
  std::int64_t across;  // blocks
  std::int64_t pieces;
};

inline ColumnTiling column_tiling_of(std::int64_t rows, std::int64_t packs) {
  constexpr std::int64_t kEnoughBlocks = 1024;
  constexpr std::int64_t kRowsOfThread = 8;
  std::int64_t x = 1;
  while (x < packs && x < 32) x *= 2;
  const std::int64_t y = kBlockThreads / x;
  const std::int64_t across = ceil_div(packs, x);
  const std::int64_t pieces = std::min(ceil_div(rows, y * kRowsOfThread), kEnoughBlocks / across);
  return {dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)), across, std::max<std::int64_t>(pieces, 1)};
}

/// Returns the elements of a matrix unchanged.
template <int width>
struct MatrixItem {
  const float* x;
  std::int64_t ld;

  __device__ __forceinline__ Pack<float, width> operator()(std::int64_t i, std::int64_t pack, int count) const {
    return load_pack<width>(x + i * ld + pack * width, count);
  }
};

/// sums[j] = beta sums[j] + the sum over rows of the items in column j. @pre if width is 4, rows are aligned for packs
template <int width, class Item>
void sum_columns(cudaStream_t stream, const char* name, ColumnSums call, const Item& item) {
  if (call.cols == 0) return;
  const ColumnTiling tiling = column_tiling_of(call.rows, ceil_div(call.cols, width));
  call.piece_rows = ceil_div(call.rows, tiling.pieces);
  const dim3 blocks(static_cast<unsigned>(tiling.across), static_cast<unsigned>(tiling.pieces));
  if (tiling.pieces == 1) {
    column_sums_kernel<Item, width><<<blocks, tiling.threads, 0, stream>>>(call, item);
    return check_launch(name);
  }
  const Scratch parts(stream, tiling.pieces * call.cols * std::int64_t{sizeof(float)});
  ColumnSums first = call;
  first.sums = parts.as<float>();
  first.beta = 0;
  column_sums_kernel<Item, width><<<blocks, tiling.threads, 0, stream>>>(first, item);
  check_launch(name);

  const ColumnTiling last = column_tiling_of(1, call.cols);
  const ColumnSums second = {tiling.pieces, call.cols, tiling.pieces, call.sums, call.beta};
  column_sums_kernel<MatrixItem<1>, 1>
      <<<dim3(static_cast<unsigned>(last.across)), last.threads, 0, stream>>>(second, {parts.as<float>(), call.cols});
  check_launch(name);
}

}  // namespace recombine::cuda
