#pragma once

#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/math.hpp"

/// Each block of a loss kernel writes one part of the sums; then one block adds the parts in a fixed order.
namespace recombine::cuda {

inline constexpr std::int64_t kMostLossParts = 1024;  // the same on every GPU, so the bits are the same

/// Thread 0 writes the block's part. All threads call it, once.   parts null: nothing is written
__device__ __forceinline__ void write_loss_part(double loss, double correct, LossSums* parts) {
  __shared__ double loss_warps[kWarp];
  __shared__ double correct_warps[kWarp];
  if (!parts) return;
  loss = block_sum(loss, loss_warps);
  correct = block_sum(correct, correct_warps);
  if (thread_of_block() == 0) parts[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = {loss, correct};
}

/// sums += the n parts.   One block.
static __global__ void __launch_bounds__(kBlockThreads)
    add_loss_parts_kernel(const LossSums* parts, std::int64_t n, LossSums* sums) {
  __shared__ double loss_warps[kWarp];
  __shared__ double correct_warps[kWarp];
  double loss = 0;
  double correct = 0;
  for (std::int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    loss += parts[i].loss_sum;
    correct += parts[i].correct;
  }
  loss = block_sum(loss, loss_warps);
  correct = block_sum(correct, correct_warps);
  if (threadIdx.x > 0) return;
  sums->loss_sum += loss;
  sums->correct += correct;
}

/// Calls launch(parts) for `blocks` blocks and adds their parts to sums. If sums is null, parts is null too.
template <class Launch>
void with_loss_parts(cudaStream_t stream, const char* name, std::int64_t blocks, LossSums* sums, const Launch& launch) {
  if (!sums) {
    launch(static_cast<LossSums*>(nullptr));
    return check_launch(name);
  }
  const Scratch parts(stream, blocks * std::int64_t{sizeof(LossSums)});
  launch(parts.as<LossSums>());
  check_launch(name);
  add_loss_parts_kernel<<<1, kBlockThreads, 0, stream>>>(parts.as<LossSums>(), blocks, sums);
  check_launch(name);
}

}  // namespace recombine::cuda
