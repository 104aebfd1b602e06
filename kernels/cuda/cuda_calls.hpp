#pragma once

#include <source_location>

#include <cublasLt.h>
#include <cuda_runtime_api.h>

namespace recombine::cuda {

/// @throws Error naming `call`, the GPU, what CUDA said of it and the place, unless it succeeded
void check(cudaError_t result, const char* call, std::source_location place = std::source_location::current());
void check(cublasStatus_t result, const char* call, std::source_location place = std::source_location::current());

/// False for cudaErrorNotReady, the answer of a query that is none of an error. @throws Error for any other failure
bool is_ready(cudaError_t result, const char* call, std::source_location place = std::source_location::current());

/// Makes `gpu` the one that this thread's calls are for. Every thread begins with GPU 0.
void use_gpu(int gpu);

}  // namespace recombine::cuda
