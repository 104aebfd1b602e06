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
///
/// Memory limits these kernels. A thread of for_packs() therefore has several loads in flight: it loads kInFlight packs
/// before it stores the first.
namespace recombine::cuda {

inline constexpr int kBlockThreads = 256;
inline constexpr int kInFlight = 4;        ///< packs that a thread of for_packs() loads at once
inline constexpr int kBlocksInFlight = 4;  ///< blocks of for_packs() on a multiprocessor; a thread has 64 registers

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

/// Enqueues body(row, item) for every item.
template <class Body>
void for_elements(cudaStream_t stream, const char* name, std::int64_t rows, std::int64_t items, const Body& body) {
  if (rows == 0 || items == 0) return;
  constexpr std::int64_t kRounds = 4;  // each of as many blocks as run at once; the last round may be almost empty
  const std::int64_t resident = std::int64_t{multiprocessor_count()} * (2048 / kBlockThreads);
  const Tiling tiling = tiling_of(rows, items, kRounds * resident);
  elements_kernel<<<tiling.blocks, tiling.threads, 0, stream>>>(rows, items, body);
  check_launch(name);
}

/// Handles the packs of this thread in a matrix of rows x cols: body.store(i, pack, count, body.load(i, pack, count)).
/// In a matrix of one row a thread's packs lie in that row, otherwise in different rows.
template <class Body>
__device__ __forceinline__ void stream_packs(std::int64_t rows, std::int64_t cols, Body& body) {
  constexpr int width = Body::kWidth;
  const std::int64_t down = std::int64_t{gridDim.y} * blockDim.y;
  const std::int64_t across = std::int64_t{gridDim.x} * blockDim.x;
  const std::int64_t i_step = rows > 1 ? down : 0;
  const std::int64_t j_step = rows > 1 ? 0 : across;
  const std::int64_t full = cols / width;
  for (std::int64_t i = std::int64_t{blockIdx.y} * blockDim.y + threadIdx.y; i < rows;
       i += down + (kInFlight - 1) * i_step) {
    for (std::int64_t j = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; j * width < cols;
         j += across + (kInFlight - 1) * j_step) {
      if (i + (kInFlight - 1) * i_step < rows && j + (kInFlight - 1) * j_step < full) {
        decltype(body.load(i, j, width)) loaded[kInFlight];
#pragma unroll
        for (int k = 0; k < kInFlight; ++k) loaded[k] = body.load(i + k * i_step, j + k * j_step, width);
#pragma unroll
        for (int k = 0; k < kInFlight; ++k) body.store(i + k * i_step, j + k * j_step, width, loaded[k]);
      } else {
#pragma unroll 1
        for (int k = 0; k < kInFlight; ++k) {
          const std::int64_t row = i + k * i_step;
          const std::int64_t pack = j + k * j_step;
          if (row >= rows || pack * width >= cols) break;
          const int count = pack_count<width>(cols, pack);
          body.store(row, pack, count, body.load(row, pack, count));
        }
      }
    }
  }
}

template <class Body>
__global__ void __launch_bounds__(kBlockThreads, kBlocksInFlight)
    packs_kernel(std::int64_t rows, std::int64_t cols, Body body) {
  stream_packs(rows, cols, body);
}

/// The tiling for stream_packs(). A thread has up to kInFlight packs, or more if there would be more than
/// `most_blocks`.
/// @param enough_blocks  a thread has fewer packs if there would be fewer blocks than this
inline Tiling pack_tiling_of(std::int64_t rows, std::int64_t packs, std::int64_t enough_blocks,
                             std::int64_t most_blocks) {
  const std::int64_t blocks = ceil_div(rows * packs, kBlockThreads);
  const std::int64_t of_thread = std::clamp<std::int64_t>(blocks / enough_blocks, 1, kInFlight);
  return rows > 1 ? tiling_of(ceil_div(rows, of_thread), packs, most_blocks)
                  : tiling_of(1, ceil_div(packs, of_thread), most_blocks);
}

/// Enqueues a kernel that calls body.store(row, pack, count, body.load(row, pack, count)) for each pack of Body::kWidth
/// elements. The last pack of a row has count <= kWidth elements.
template <class Body>
void for_packs(cudaStream_t stream, const char* name, std::int64_t rows, std::int64_t cols, const Body& body) {
  if (rows == 0 || cols == 0) return;
  constexpr std::int64_t kMostBlocks = std::int64_t{1} << 30;
  const std::int64_t resident = std::int64_t{multiprocessor_count()} * kBlocksInFlight;
  const Tiling tiling = pack_tiling_of(rows, ceil_div(cols, Body::kWidth), resident, kMostBlocks);
  packs_kernel<<<tiling.blocks, tiling.threads, 0, stream>>>(rows, cols, body);
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
