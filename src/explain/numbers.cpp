#include "src/explain/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "distributed/io/convert.hpp"
#include "distributed/owned_matrix.hpp"
#include "distributed/redistribute.hpp"
#include "src/program/host_copy.hpp"

namespace recombine {

Numbers Numbers::part(const Area& area) const {
  Numbers numbers{.rows = area.rows.size(), .cols = area.cols.size()};
  for (std::int64_t row = area.rows.begin; row < area.rows.end; ++row) {
    for (std::int64_t col = area.cols.begin; col < area.cols.end; ++col) numbers.values.push_back(at(row, col));
  }
  return numbers;
}

NumberGrid Numbers::grid(std::vector<std::int64_t> row_cuts, std::vector<std::int64_t> col_cuts) const {
  return {values, rows, cols, std::move(row_cuts), std::move(col_cuts)};
}

Numbers numbers_of(const RankContext& context, ConstMatrixView matrix, Transpose transpose) {
  context.compute().synchronize();
  const HostCopy host(context, matrix);
  Numbers numbers{.rows = matrix.rows, .cols = matrix.cols};
  if (transpose == Transpose::yes) std::swap(numbers.rows, numbers.cols);
  numbers.values.resize(static_cast<std::size_t>(matrix.rows * matrix.cols));
  const VectorView values = vector_view(numbers.values.data(), matrix.rows * matrix.cols);
  convert(host.view(), transpose, as_matrix(values, numbers.rows, numbers.cols));
  return numbers;
}

Numbers whole_of(RankContext& context, Communicator& group, const DistMatrix& matrix, Transpose transpose) {
  OwnedMatrix all(context, {matrix.rows(), matrix.cols()}, {}, matrix.memory().type);
  redistribute(context, group, matrix, all);
  return numbers_of(context, all.blocks().front().view, transpose);
}

double largest(const Numbers& numbers) {
  double most = 0;
  for (const double value : numbers.values) most = std::max(most, std::abs(value));
  return most;
}

}  // namespace recombine
