#pragma once

#include <vector>

#include "distributed/communicator.hpp"
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

/// All numbers of a matrix, or of its transpose, brought together on every rank by redistribute(). Every rank calls it.
/// @param group  all ranks of the mesh, for memory of the context's device
Numbers whole_of(RankContext& context, Communicator& group, const DistMatrix& matrix,
                 Transpose transpose = Transpose::no);

/// The largest absolute value; 0 if there are no numbers.
double largest(const Numbers& numbers);

}  // namespace recombine
