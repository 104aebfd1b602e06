#pragma once

#include <cuda.h>

#include "kernels/matrix.hpp"

namespace recombine::cuda {

/// True if the copy engine (TMA) can read x: rows begin at multiples of 16 bytes, and extents are at most 2^30.
/// @pre x is bf16 and not empty
bool has_tensor_map(const ConstMatrixView& x);

/// Describes x to the copy engine, which then copies boxes of `box_rows` x 64 elements. A row of a box has 128 bytes in
/// shared memory, swizzled (see kernels/cuda/wgmma.cuh). The map is a plain value: it may be an argument of a kernel.
/// @pre has_tensor_map(x), 1 <= box_rows <= 256   @throws Error if the driver refuses, or is older than CUDA 12
CUtensorMap tensor_map(const ConstMatrixView& x, int box_rows);

}  // namespace recombine::cuda
