#pragma once

#include <vector>

#include "distributed/rank_context.hpp"
#include "src/explain/number_grid.hpp"

namespace recombine {

/// The numbers of a matrix, row by row.
struct Numbers {
  std::int64_t rows = 0, cols = 0;
  std::vector<double> values;

  double at(std::int64_t row, std::int64_t col) const { return values[static_cast<std::size_t>(row * cols + col)]; }
  Numbers part(const Area& area) const;  ///< its rows and columns. @pre they are in the matrix
  /// The numbers as text, with lines between parts. `this` must outlive it.
  NumberGrid grid(std::vector<std::int64_t> row_cuts = {}, std::vector<std::int64_t> col_cuts = {}) const;
};

/// The numbers of a matrix in the device's memory, or of its transpose. Waits for the compute stream.
/// @pre the matrix is contiguous
Numbers numbers_of(const RankContext& context, ConstMatrixView matrix, Transpose transpose = Transpose::no);

}  // namespace recombine
