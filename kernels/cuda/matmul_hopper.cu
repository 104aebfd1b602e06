#include <algorithm>

#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/matmul_hopper.cuh"
#include "kernels/cuda/matmul_hopper.hpp"
#include "kernels/cuda/tensor_map.hpp"

namespace recombine::cuda {

namespace {

using hopper::Along;
using Tile = hopper::Tiling<256, 4, 16>;  // 192 KiB of shared memory
constexpr int kSharedBytes = sizeof(hopper::Ring<Tile>);

template <Along a_along, Along b_along>
bool allow_shared_memory() {
  return cudaFuncSetAttribute(hopper::hopper_kernel<Tile, a_along, b_along>,
                              cudaFuncAttributeMaxDynamicSharedMemorySize, kSharedBytes) == cudaSuccess;
}

/// A box has all rows of a tile if k runs along the rows, and 64 rows of k otherwise.
template <Along along, int extent>
CUtensorMap operand_map(const ConstMatrixView& x) {
  return tensor_map(x, along == Along::depth ? extent : Tile::kDepth);
}

template <Along a_along, Along b_along>
void multiply(cudaStream_t stream, const Gemm& gemm) {
  const std::int64_t k = a_along == Along::depth ? gemm.a.cols : gemm.a.rows;
  const hopper::HopperProduct p = {gemm.c.as<float>(),
                                   gemm.c.ld,
                                   static_cast<int>(gemm.c.rows),
                                   static_cast<int>(gemm.c.cols),
                                   static_cast<int>(k),
                                   static_cast<float>(gemm.alpha),
                                   static_cast<float>(gemm.beta)};
  const std::int64_t tiles = ceil_div(gemm.c.rows, Tile::kRows) * ceil_div(gemm.c.cols, Tile::kCols);
  const std::int64_t blocks = std::min<std::int64_t>(tiles, multiprocessor_count());
  allow_shared_memory<a_along, b_along>();
  hopper::hopper_kernel<Tile, a_along, b_along>
      <<<static_cast<unsigned>(blocks), hopper::kThreads, kSharedBytes, stream>>>(
          operand_map<a_along, Tile::kRows>(gemm.a), operand_map<b_along, Tile::kCols>(gemm.b), p);
  check_launch("gemm_hopper");
}

}  // namespace

bool gpu_runs_hopper() {
  const bool has_code = allow_shared_memory<Along::depth, Along::depth>();
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
