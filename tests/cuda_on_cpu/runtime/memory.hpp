#pragma once

#include <cstdint>
#include <optional>

#include <cuda_runtime_api.h>

namespace emulated {

/// Memory that CUDA knows: device memory or pinned host memory.
struct Allocation {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  cudaMemoryType type = cudaMemoryTypeUnregistered;
  int device = 0;
};

/// The allocation that contains `address`, if there is one.
std::optional<Allocation> find_allocation(std::uintptr_t address);

/// The device of variables in kernels (__constant__, __device__): every device has them.
constexpr int kEveryDevice = -1;

void add_allocation(const Allocation& allocation);

}  // namespace emulated
