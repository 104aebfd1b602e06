#pragma once

#include <cuda_runtime_api.h>

#include "kernels/math.hpp"

namespace recombine::cuda {

/// C = alpha op(A) op(B) + beta C, bf16 with C f32, on the copy engine and the tensor cores of compute capability 9.0.
/// @pre gpu_runs_hopper(), hopper_accepts(gemm), and the preconditions of the products in launchers.hpp
void gemm_hopper(cudaStream_t stream, const Gemm& gemm);

/// True if the current GPU has compute capability 9.0.
bool gpu_runs_hopper();

/// True if every row of both operands begins at a multiple of 16 bytes, and no extent is above 2^30.
bool hopper_accepts(const Gemm& gemm);

}  // namespace recombine::cuda
