#pragma once

#include <cstdint>

#include "distributed/dist_matrix.hpp"
#include "distributed/rank_context.hpp"

namespace recombine {

/// A matrix whose elements, uniform in [-1, 1), depend only on the seed, the tensor's number and the global index, so
/// any rank can compute or check any part. bf16 elements are the same values, rounded.
struct Generated {
  std::uint64_t seed = 0;
  std::uint64_t tensor = 0;
  std::int64_t cols = 0;  ///< of the whole matrix

  double at(std::int64_t row, std::int64_t col, DataType type) const;
};

inline constexpr std::uint64_t kTensorA = 0;
inline constexpr std::uint64_t kTensorB = 1;
inline constexpr std::uint64_t kTensorC = 2;

/// Fills `to` with a rectangle of the matrix: [rows, cols], or its transpose [cols, rows].
void generate(RankContext& context, const Generated& matrix, Range rows, Range cols, Transpose transpose,
              MatrixView to);

/// Fills this rank's blocks of a matrix that is stored as its transpose (A) or as it is (B, C).
void generate(RankContext& context, const Generated& matrix, Transpose transpose, const DistMatrix& to);

}  // namespace recombine
