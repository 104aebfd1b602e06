#pragma once

#include <string>

#include <cuda_runtime_api.h>

#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated {

/// Ends the program unless a device can reach `memory`, as a fault of a GPU would. Ignores null.
inline void require_device_memory(const void* memory, const std::string& what) {
  if (!memory) return;
  cudaPointerAttributes attributes{};
  if (cudaPointerGetAttributes(&attributes, memory) != cudaSuccess || attributes.type == cudaMemoryTypeUnregistered)
    fail(what + " is the host's memory, which no device can reach");
}

}  // namespace emulated
