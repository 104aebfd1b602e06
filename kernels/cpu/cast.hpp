#pragma once

#include "kernels/matrix.hpp"

namespace recombine::cpu {

/// to = from on all threads, between f32, f64 and bf16; see Math::cast.
/// @throws Error for other types, or if the shapes differ
void cast_matrix(const ConstMatrixView& from, const MatrixView& to);

/// The same for one piece of memory, in the calling thread. @pre to.size == from.size
void cast_vector(const ConstVectorView& from, const VectorView& to);

}  // namespace recombine::cpu
