#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/pack.cuh"

/// One thread per item of a table of rows x items. If there are more items than threads, a thread takes several items.
///
///     threads.x: items of a row, a power of two       grid.x ->  | block | block |
///     threads.y: rows; a block has 256 threads        grid.y  v  | block | block |
///
/// Rows and items have separate indices, so no thread needs a division.
namespace recombine::cuda {

inline constexpr int kBlockThreads = 256;

struct Tiling {
  dim3 blocks;
  dim3 threads;
};

/// @pre rows > 0, items > 0
inline Tiling tiling_of(std::int64_t rows, std::int64_t items, std::int64_t most_blocks) {
  std::int64_t x = 1;
  while (x < items && x < kBlockThreads) x *= 2;
  const std::int64_t y = kBlockThreads / x;
  const std::int64_t across = std::min(ceil_div(items, x), most_blocks);
  const std::int64_t down =
      std::min({ceil_div(rows, y), std::max<std::int64_t>(most_blocks / across, 1), std::int64_t{65535}});
  return {dim3(static_cast<unsigned>(across), static_cast<unsigned>(down)),
          dim3(static_cast<unsigned>(x), static_cast<unsigned>(y))};
}

/// Calls f(row, item) for each item of this thread.
template <class F>
__device__ __forceinline__ void for_items(std::int64_t rows, std::int64_t items, const F& f) {
  const std::int64_t down = std::int64_t{gridDim.y} * blockDim.y;
  const std::int64_t across = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.y} * blockDim.y + threadIdx.y; i < rows; i += down) {
    for (std::int64_t j = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; j < items; j += across) f(i, j);
  }
}

template <class Body>
__global__ void __launch_bounds__(kBlockThreads) elements_kernel(std::int64_t rows, std::int64_t items, Body body) {
  for_items(rows, items, body);
}

/// Enqueues body(row, item) for every item, with as many blocks as the GPU can run at once.
template <class Body>
void for_elements(cudaStream_t stream, const char* name, std::int64_t rows, std::int64_t items, const Body& body) {
  if (rows == 0 || items == 0) return;
  const std::int64_t resident = std::int64_t{multiprocessor_count()} * (2048 / kBlockThreads);
  const Tiling tiling = tiling_of(rows, items, resident);
  elements_kernel<<<tiling.blocks, tiling.threads, 0, stream>>>(rows, items, body);
  check_launch(name);
}

/// If there are no gaps between the rows, returns the matrix as one long row. Packs may then cross the ends of rows.
template <class View>
View flattened(const View& m) {
  if (!m.contiguous()) return m;
  View flat = m;
  flat.rows = std::min<std::int64_t>(m.rows, 1);
  flat.cols = m.rows * m.cols;
  flat.ld = flat.cols;
  return flat;
}

}  // namespace recombine::cuda
