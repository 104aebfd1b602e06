#pragma once

#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/math.hpp"

namespace recombine::cuda {

inline constexpr std::int64_t kMostLossParts = 4096;  // blocks; the same on every GPU, so the bits are the same

/// *sums += the losses and counts of all threads of all blocks; null: nothing is added. All threads call it, once.
__device__ __forceinline__ void add_losses(double loss, double correct, LossSums* sums, const Workspace& workspace) {
  static_assert(sizeof(LossSums) == 2 * sizeof(double) && kMostLossParts * sizeof(LossSums) <= Workspace::kPartsBytes);
  if (!sums) return;
  double both[] = {loss, correct};
  add_grid_sums(both, &sums->loss_sum, workspace);
}

}  // namespace recombine::cuda
