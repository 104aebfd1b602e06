#include <algorithm>

#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/matmul_hopper.cuh"
#include "kernels/cuda/matmul_hopper.hpp"
#include "kernels/cuda/tensor_map.hpp"

namespace recombine::cuda {

namespace {

using hopper::Along;
using WideTile = hopper::Tiling<256, 4, 16>;    // 192 KiB of shared memory
using NarrowTile = hopper::Tiling<128, 4, 16>;  // 128 KiB

template <class Tile, Along a_along, Along b_along>
bool allow_shared_memory() {
  return cudaFuncSetAttribute(hopper::hopper_kernel<Tile, a_along, b_along>,
                              cudaFuncAttributeMaxDynamicSharedMemorySize, sizeof(hopper::Ring<Tile>)) == cudaSuccess;
}

/// A box has all rows of a tile if k runs along the rows, and 64 rows of k otherwise.
template <class Tile, Along along, int extent>
CUtensorMap operand_map(const ConstMatrixView& x) {
  return tensor_map(x, along == Along::depth ? extent : Tile::kDepth);
}

template <class Tile>
std::int64_t tiles_of(const MatrixView& c) {
  return ceil_div(c.rows, Tile::kRows) * ceil_div(c.cols, Tile::kCols);
}

template <class Tile, Along a_along, Along b_along>
void launch(cudaStream_t stream, const Gemm& gemm, std::int64_t multiprocessors) {
  const std::int64_t k = a_along == Along::depth ? gemm.a.cols : gemm.a.rows;
  const hopper::HopperProduct p = {gemm.c.as<float>(),
                                   gemm.c.ld,
                                   static_cast<int>(gemm.c.rows),
                                   static_cast<int>(gemm.c.cols),
                                   static_cast<int>(k),
                                   static_cast<float>(gemm.alpha),
                                   static_cast<float>(gemm.beta)};
  const auto blocks = static_cast<unsigned>(std::min(tiles_of<Tile>(gemm.c), multiprocessors));
  allow_shared_memory<Tile, a_along, b_along>();
  hopper::hopper_kernel<Tile, a_along, b_along><<<blocks, hopper::kThreads, sizeof(hopper::Ring<Tile>), stream>>>(
      operand_map<Tile, a_along, Tile::kRows>(gemm.a), operand_map<Tile, b_along, Tile::kCols>(gemm.b), p);
  check_launch("gemm_hopper");
}

/// Tiles are narrow if there would be fewer wide ones than multiprocessors.
template <Along a_along, Along b_along>
void multiply(cudaStream_t stream, const Gemm& gemm) {
  const std::int64_t multiprocessors = multiprocessor_count();
  if (tiles_of<WideTile>(gemm.c) < multiprocessors) {
    launch<NarrowTile, a_along, b_along>(stream, gemm, multiprocessors);
  } else {
    launch<WideTile, a_along, b_along>(stream, gemm, multiprocessors);
  }
}

}  // namespace

bool gpu_runs_hopper() {
  const bool has_code = allow_shared_memory<WideTile, Along::depth, Along::depth>();
  static_cast<void>(cudaGetLastError());
  return has_code;
}

bool hopper_accepts(const Gemm& gemm) { return has_tensor_map(gemm.a) && has_tensor_map(gemm.b); }

void gemm_hopper(cudaStream_t stream, const Gemm& gemm) {
  if (gemm.a.type != DataType::bf16) refuse_type("gemm_hopper", gemm.a.type);
  const bool k_along_b = gemm.trans_b == Transpose::yes;
  if (gemm.trans_a == Transpose::yes) {
    return k_along_b ? multiply<Along::outer, Along::depth>(stream, gemm)
                     : multiply<Along::outer, Along::outer>(stream, gemm);
  }
  return k_along_b ? multiply<Along::depth, Along::depth>(stream, gemm)
                   : multiply<Along::depth, Along::outer>(stream, gemm);
}

}  // namespace recombine::cuda
