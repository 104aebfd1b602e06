#pragma once

#include <cuda_runtime_api.h>

#include "kernels/matrix.hpp"

namespace recombine::cuda {

/// Enqueues to[n,m] = from[m,n] transposed, f32. @throws Error for other types
void transpose(cudaStream_t stream, ConstMatrixView from, MatrixView to);

}  // namespace recombine::cuda
