#include <cuda_pipeline.h>

#include "tests/cuda_on_cpu/tests/faults.hpp"

namespace {

constexpr int kThreads = 64;
constexpr int kBlocks = kCount / kThreads;

__device__ int index() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

__global__ void produce_kernel(float* out, float value) { out[index()] = value + static_cast<float>(index()); }

__global__ void double_of_kernel(const float* in, float* out, int count) {
  if (index() < count) out[index()] = 2 * in[index()];
}

__global__ void add_kernel(const float* a, const float* b, float* out) { out[index()] = a[index()] + b[index()]; }

__global__ void reverse_kernel(float* x, int with_barrier) {
  __shared__ float tile[kThreads];
  tile[threadIdx.x] = x[index()];
  if (with_barrier) __syncthreads();
  x[index()] = tile[kThreads - 1 - threadIdx.x];
}

__global__ void reverse_async_kernel(float* x, int with_wait) {
  __shared__ float tile[kThreads];
  __pipeline_memcpy_async(&tile[threadIdx.x], &x[index()], sizeof(float));
  __pipeline_commit();
  if (with_wait) __pipeline_wait_prior(0);
  __syncthreads();
  x[index()] = tile[kThreads - 1 - threadIdx.x];
}

__global__ void write_beyond_kernel(float* out) { out[index() + 1] = 1; }

__global__ void write_misaligned_kernel(float* out) { *reinterpret_cast<float4*>(out + 1) = make_float4(0, 0, 0, 0); }

__global__ void divergent_barrier_kernel(float* x) {
  if (threadIdx.x < 32) {
    x[index()] = 1;
    __syncthreads();
  } else {
    x[index()] = 2;
    __syncthreads();
  }
}

__global__ void partial_barrier_kernel(float* x) {
  if (threadIdx.x % 32 < 16) x[index()] = __shfl_xor_sync(0xffffffffU, x[index()], 1);
  __syncthreads();
}

__global__ void write_same_kernel(float* x) { x[0] = static_cast<float>(blockIdx.x); }

extern __shared__ float dynamic_tile[];

__global__ void use_shared_kernel_(float* x, int last) {
  dynamic_tile[last - static_cast<int>(threadIdx.x)] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = dynamic_tile[last - kThreads + 1 + static_cast<int>(threadIdx.x)];
}

}  // namespace

void produce(cudaStream_t stream, float* out, float value) {
  produce_kernel<<<kBlocks, kThreads, 0, stream>>>(out, value);
}
void double_of(cudaStream_t stream, const float* in, float* out) {
  double_of_kernel<<<kBlocks + 1, kThreads, 0, stream>>>(in, out, kCount);
}
void add(cudaStream_t stream, const float* a, const float* b, float* out) {
  add_kernel<<<kBlocks, kThreads, 0, stream>>>(a, b, out);
}
void reverse(cudaStream_t stream, float* x) { reverse_kernel<<<kBlocks, kThreads, 0, stream>>>(x, 1); }
void reverse_without_barrier(cudaStream_t stream, float* x) { reverse_kernel<<<kBlocks, kThreads, 0, stream>>>(x, 0); }
void reverse_by_async_copy(cudaStream_t stream, float* x) {
  reverse_async_kernel<<<kBlocks, kThreads, 0, stream>>>(x, 1);
}
void reverse_without_copy_wait(cudaStream_t stream, float* x) {
  reverse_async_kernel<<<kBlocks, kThreads, 0, stream>>>(x, 0);
}
void write_beyond(cudaStream_t stream, float* out) { write_beyond_kernel<<<kBlocks, kThreads, 0, stream>>>(out); }
void write_misaligned(cudaStream_t stream, float* out) { write_misaligned_kernel<<<1, 1, 0, stream>>>(out); }
void divergent_barrier(cudaStream_t stream, float* x) { divergent_barrier_kernel<<<1, kThreads, 0, stream>>>(x); }
void partial_barrier(cudaStream_t stream, float* x) { partial_barrier_kernel<<<1, kThreads, 0, stream>>>(x); }
void write_same(cudaStream_t stream, float* x) { write_same_kernel<<<2, 1, 0, stream>>>(x); }
void use_shared(cudaStream_t stream, float* x, int bytes) {
  use_shared_kernel_<<<1, kThreads, bytes, stream>>>(x, bytes / static_cast<int>(sizeof(float)) - 1);
}
const void* use_shared_kernel() { return reinterpret_cast<const void*>(&use_shared_kernel_); }
