#pragma once

#include <cstdint>

/// Sums over threads in fixed trees, so every run gives the same bits.
namespace recombine::cuda {

inline constexpr unsigned kAllLanes = 0xffffffff;
inline constexpr int kWarp = 32;

/// The sum over `lanes` neighbouring lanes (a power of two, at most a warp). Every lane of the group gets it.
template <class T>
__device__ __forceinline__ T group_sum(T x, int lanes) {
  for (int offset = lanes / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(kAllLanes, x, offset);
  return x;
}

__device__ __forceinline__ int thread_of_block() { return static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x); }

/// The sum over a block of whole warps; only thread 0 gets it. `warps` is shared memory for 32 sums. It may be used
/// again after the block's next barrier.
template <class T>
__device__ __forceinline__ T block_sum(T x, T* warps) {
  const int thread = thread_of_block();
  x = group_sum(x, kWarp);
  if (thread % kWarp == 0) warps[thread / kWarp] = x;
  __syncthreads();
  const int n = static_cast<int>(blockDim.x * blockDim.y) / kWarp;
  return thread < kWarp ? group_sum(thread < n ? warps[thread] : T{0}, kWarp) : T{0};
}

}  // namespace recombine::cuda
