#pragma once

#include <cuda_runtime_api.h>

#include "kernels/math.hpp"

namespace recombine::cuda {

/// C = alpha op(A) op(B) + beta C, bf16 with C f32, on the copy engine and the tensor cores of compute capability 9.0.
/// @pre gpu_runs_hopper(), hopper_accepts(gemm), and as for the other products in launchers.hpp
void gemm_hopper(cudaStream_t stream, const Gemm& gemm);

/// False if the current GPU is not of compute capability 9.0.
bool gpu_runs_hopper();

/// False if a row of an operand does not begin at a multiple of 16 bytes, or if an extent is above 2^30.
bool hopper_accepts(const Gemm& gemm);

}  // namespace recombine::cuda
