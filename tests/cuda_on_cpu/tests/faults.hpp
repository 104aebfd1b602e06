#pragma once

#include <cuda_runtime_api.h>

// Launchers of the kernels in faults.cu. All arrays have kCount elements.

constexpr int kCount = 512;

void produce(cudaStream_t stream, float* out, float value);        // out[i] = value + i
void double_of(cudaStream_t stream, const float* in, float* out);  // out[i] = 2 in[i]
void add(cudaStream_t stream, const float* a, const float* b, float* out);
void reverse(cudaStream_t stream, float* x);  // each block's part, through shared memory
void reverse_without_barrier(cudaStream_t stream, float* x);
void reverse_by_async_copy(cudaStream_t stream, float* x);
void reverse_without_copy_wait(cudaStream_t stream, float* x);
void write_beyond(cudaStream_t stream, float* out);      // one element after the end
void write_misaligned(cudaStream_t stream, float* out);  // a float4 at an address that is 4 bytes off
void divergent_barrier(cudaStream_t stream, float* x);
void partial_barrier(cudaStream_t stream, float* x);        // half of each warp reaches a collective
void write_same(cudaStream_t stream, float* x);             // all blocks write x[0]
void use_shared(cudaStream_t stream, float* x, int bytes);  // `bytes` of dynamic shared memory
const void* use_shared_kernel();
