#pragma once

#include <cstdint>

#include "distributed/dist_matrix.hpp"
#include "distributed/rank_context.hpp"

namespace recombine {

/// Matrices whose elements are a function of the global index alone, uniform in [-1, 1), so that any rank can make or
/// check any part: element (r, c) of tensor t under a seed. bf16 holds the same value rounded.
struct Generated {
  std::uint64_t seed = 0;
  std::uint64_t tensor = 0;
  std::int64_t cols = 0;  ///< of the whole matrix

  double at(std::int64_t row, std::int64_t col, DataType type) const;
};

inline constexpr std::uint64_t kTensorA = 0;
inline constexpr std::uint64_t kTensorB = 1;
inline constexpr std::uint64_t kTensorC = 2;

/// Fills a rectangle [rows, cols] of the matrix, held as it is or transposed: then `to` is [cols, rows].
void generate(RankContext& context, const Generated& matrix, Range rows, Range cols, Transpose transpose,
              MatrixView to);

/// Fills what this rank holds of a matrix that is kept transposed (A) or as it is (B, C).
void generate(RankContext& context, const Generated& matrix, Transpose transpose, const DistMatrix& to);

}  // namespace recombine
