#pragma once

#include <cstdint>

#include "kernels/cuda/launch.hpp"

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

__device__ __forceinline__ bool is_finite(float x) { return fabsf(x) < __builtin_huge_valf(); }

/// *to = max(*to, value); both are >= 0, so their bits are in the same order. Several blocks may call it at the same
/// time.
__device__ __forceinline__ void raise_to(double* to, double value) {
  atomicMax(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(__double_as_longlong(value)));
}

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

/// `blocks` blocks call it with the same ticket. Returns true in all threads of the last block that does. This block
/// can then read, with __ldcg(), what the other blocks wrote before their calls. The ticket is zero before the first
/// call and after the last one, so the next launch can use it again.
__device__ __forceinline__ bool is_last_block(unsigned* ticket, unsigned blocks) {
  __shared__ bool last;
  __syncthreads();
  if (thread_of_block() == 0) {
    __threadfence();
    last = atomicInc(ticket, blocks - 1) == blocks - 1;
    __threadfence();
  }
  __syncthreads();
  return last;
}

/// sums[k] += x[k] of all threads of all blocks. The last block adds the parts of the blocks in a fixed order, so every
/// run gives the same bits. All threads call it, once.   @pre blocks * n * sizeof(T) <= Workspace::kPartsBytes
template <class T, int n>
__device__ __forceinline__ void add_grid_sums(T (&x)[n], T* sums, const Workspace& workspace) {
  __shared__ T warps[n][kWarp];
  const unsigned blocks = gridDim.x * gridDim.y;
  const auto sum_block = [&] {
#pragma unroll
    for (int k = 0; k < n; ++k) x[k] = block_sum(x[k], warps[k]);
  };
  sum_block();
  if (blocks > 1) {
    T* const parts = reinterpret_cast<T*>(workspace.parts);
    if (thread_of_block() == 0) {
#pragma unroll
      for (int k = 0; k < n; ++k) parts[(blockIdx.y * gridDim.x + blockIdx.x) * n + k] = x[k];
    }
    if (!is_last_block(workspace.tickets, blocks)) return;
#pragma unroll
    for (int k = 0; k < n; ++k) x[k] = 0;
#pragma unroll 4
    for (unsigned part = thread_of_block(); part < blocks; part += blockDim.x * blockDim.y) {
#pragma unroll
      for (int k = 0; k < n; ++k) x[k] += __ldcg(parts + part * n + k);
    }
    sum_block();
  }
  if (thread_of_block() > 0) return;
#pragma unroll
  for (int k = 0; k < n; ++k) sums[k] += x[k];
}

}  // namespace recombine::cuda
