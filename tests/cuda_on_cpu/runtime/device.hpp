#pragma once

#include <cstddef>

#include <cuda_runtime_api.h>

namespace emulated {

/// Most bytes of shared memory of a block, without and with cudaFuncSetAttribute, as on compute capability 9.0.
constexpr std::size_t kSharedMemory = 48 << 10;
constexpr std::size_t kSharedMemoryOptIn = 227 << 10;
constexpr unsigned kMaxThreads = 1024;

int device_count();

/// The current device of the calling thread.
int& current_device();

/// Stores `error` for cudaGetLastError, and returns it.
cudaError_t remember(cudaError_t error);

}  // namespace emulated
