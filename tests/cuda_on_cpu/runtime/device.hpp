#pragma once

#include <cstddef>

#include <cuda_runtime_api.h>

namespace emulated {

/// Shared memory that a block may have without, and with, cudaFuncSetAttribute. Bytes, as on compute capability 9.0.
constexpr std::size_t kSharedMemory = 48 << 10;
constexpr std::size_t kSharedMemoryOptIn = 227 << 10;
constexpr unsigned kMaxThreads = 1024;

int device_count();

/// Of the calling thread.
int& current_device();

/// Remembers what cudaGetLastError will say, and returns it.
cudaError_t remember(cudaError_t error);

}  // namespace emulated
