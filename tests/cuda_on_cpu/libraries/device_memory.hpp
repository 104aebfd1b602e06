#pragma once

#include <string>

#include <cuda_runtime_api.h>

#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated {

/// Ends the program unless a device can reach `memory` (null: nothing is asked of it), as a GPU would by a fault.
inline void require_device_memory(const void* memory, const std::string& what) {
  if (!memory) return;
  cudaPointerAttributes attributes{};
  if (cudaPointerGetAttributes(&attributes, memory) != cudaSuccess || attributes.type == cudaMemoryTypeUnregistered)
    fail(what + " is the host's memory, which no device can reach");
}

}  // namespace emulated
