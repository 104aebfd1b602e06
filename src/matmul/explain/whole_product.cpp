#include "src/matmul/explain/whole_product.hpp"

#include <algorithm>
#include <cmath>

#include "distributed/redistribute.hpp"

namespace recombine {

namespace {

double largest(const Numbers& numbers) {
  double most = 0;
  for (const double value : numbers.values) most = std::max(most, std::abs(value));
  return most;
}

}  // namespace

Numbers whole_of(RankContext& context, Communicator& group, const DistMatrix& matrix, Transpose transpose) {
  OwnedMatrix all(context, {matrix.rows(), matrix.cols()}, {}, matrix.memory().type);
  redistribute(context, group, matrix, all);
  return numbers_of(context, only_block(all).view, transpose);
}

WholeProduct::WholeProduct(RankContext& context, Communicator& group, const MatmulShape& of,
                           const LocalMatrices& matrices)
    : shape(of),
      a(whole_of(context, group, matrices.a, Transpose::yes)),
      b(whole_of(context, group, matrices.b)),
      c(whole_of(context, group, matrices.c)) {}

Rounding WholeProduct::rounding() const { return {shape.type, static_cast<double>(shape.k) * largest(a) * largest(b)}; }

}  // namespace recombine
