#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/matrix.hpp"

namespace recombine::cuda {

enum class Combination : std::uint8_t { sum, max };

/// to[i] = a[i] + b[i], or the larger of them. `to` may be a or b.   a, b, to [n] f32, f64, i64, i32 or u8
/// Sums of integers wrap around. @throws Error for bf16: sums are computed in f32
void combine(cudaStream_t stream, Combination combination, ConstVectorView a, ConstVectorView b, VectorView to);

}  // namespace recombine::cuda
