#pragma once

#include <cuda_runtime_api.h>

#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/error.hpp"

namespace recombine::cuda {

/// A function of the CUDA driver, which the program is not linked with.
/// @param version  the CUDA version that defines the type `Function`: 12000 for 12.0
/// @throws Error if the driver is older
template <class Function>
Function driver_function(const char* name, unsigned version) {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  check(cudaGetDriverEntryPointByVersion(name, &function, version, cudaEnableDefault, &found),
        "cudaGetDriverEntryPointByVersion");
  require(found == cudaDriverEntryPointSuccess && function,
          "the CUDA driver has no {}; expected a driver of CUDA 12 or newer", name);
  return reinterpret_cast<Function>(function);
}

}  // namespace recombine::cuda
