#pragma once

#include <span>

#include "distributed/communicator.hpp"

namespace recombine::mpi {

/// to[i] = ((from[0][i] + from[1][i]) + from[2][i]) + ..., or the maximum, always in this order. Each element of `from`
/// points to as many elements as `to` has; `to` may be one of them. @throws Error for bf16: sums are computed in f32
void reduce(VectorView to, std::span<const std::byte* const> from, Reduction reduction);

}  // namespace recombine::mpi
