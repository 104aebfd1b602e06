#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/transpose.hpp"

namespace recombine::cuda {

namespace {

constexpr int kTile = 32;
constexpr int kDown = 8;  // rows of a tile that a block reads at the same time

struct Transposition {
  const float* from;  // [rows,cols]
  float* to;          // [cols,rows]
  std::int64_t rows, cols;
  std::int64_t from_ld, to_ld;
  std::int64_t tiles_across;
};

/// A block moves a tile through shared memory, so that it reads and writes whole rows of 128 bytes. The extra column
/// of the tile puts the elements of a column into different banks.
__global__ void __launch_bounds__(kTile* kDown) transpose_kernel(Transposition t) {
  __shared__ float tile[kTile][kTile + 1];
  const std::int64_t row = blockIdx.x / t.tiles_across * kTile;
  const std::int64_t col = blockIdx.x % t.tiles_across * kTile;
#pragma unroll
  for (int down = 0; down < kTile; down += kDown) {
    const std::int64_t i = row + down + threadIdx.y;
    const std::int64_t j = col + threadIdx.x;
    if (i < t.rows && j < t.cols) tile[down + threadIdx.y][threadIdx.x] = t.from[i * t.from_ld + j];
  }
  __syncthreads();
#pragma unroll
  for (int down = 0; down < kTile; down += kDown) {
    const std::int64_t j = col + down + threadIdx.y;
    const std::int64_t i = row + threadIdx.x;
    if (i < t.rows && j < t.cols) t.to[j * t.to_ld + i] = tile[threadIdx.x][down + threadIdx.y];
  }
}

}  // namespace

void transpose(cudaStream_t stream, ConstMatrixView from, MatrixView to) {
  if (from.type != DataType::f32) refuse_type("transpose", from.type);
  const std::int64_t across = ceil_div(from.cols, kTile);
  const auto blocks = static_cast<unsigned>(across * ceil_div(from.rows, kTile));
  if (blocks == 0) return;
  transpose_kernel<<<blocks, dim3(kTile, kDown), 0, stream>>>(
      {from.as<float>(), to.as<float>(), from.rows, from.cols, from.ld, to.ld, across});
  check_launch("transpose");
}

}  // namespace recombine::cuda
