#pragma once

#include <source_location>

#include <cublasLt.h>
#include <cuda_runtime_api.h>

namespace recombine::cuda {

/// @throws Error with `call`, the GPU, CUDA's error text and the place, unless `result` is success
void check(cudaError_t result, const char* call, std::source_location place = std::source_location::current());
void check(cublasStatus_t result, const char* call, std::source_location place = std::source_location::current());

/// Returns false for cudaErrorNotReady, which is not an error for a query. @throws Error for any other failure
bool is_ready(cudaError_t result, const char* call, std::source_location place = std::source_location::current());

/// Selects `gpu` for the CUDA calls of this thread. Every thread begins with GPU 0.
void use_gpu(int gpu);

}  // namespace recombine::cuda
