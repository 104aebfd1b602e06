#pragma once

#include <cstdint>
#include <optional>

#include <cuda_runtime_api.h>

namespace emulated {

/// Memory that CUDA knows of: a device's, or pinned memory of the host.
struct Allocation {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  cudaMemoryType type = cudaMemoryTypeUnregistered;
  int device = 0;
};

/// The allocation that holds `address`, if any does.
std::optional<Allocation> find_allocation(std::uintptr_t address);

/// For variables of kernels (__constant__, __device__), which every device has.
constexpr int kEveryDevice = -1;

void add_allocation(const Allocation& allocation);

}  // namespace emulated
