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

/// Calls f(float{}) or f(BFloat16{}), for the type of a loss's gradient. @throws Error for another type
template <class F>
void with_gradient_type(const char* kernel, const MatrixView& gradient, const F& f) {
  switch (gradient.type) {
    case DataType::f32: return f(float{});
    case DataType::bf16: return f(BFloat16{});
    default: refuse_type(kernel, gradient.type);
  }
}

}  // namespace recombine::cuda
