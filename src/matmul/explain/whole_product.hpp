#pragma once

#include "distributed/owned_matrix.hpp"
#include "src/explain/same_numbers.hpp"
#include "src/matmul/local_matrices.hpp"

namespace recombine {

/// All numbers of A, B and C on every rank, after a product.
struct WholeProduct {
  MatmulShape shape;
  Numbers a, b, c;

  WholeProduct(RankContext& context, Communicator& group, const MatmulShape& shape, const LocalMatrices& matrices);
  /// Of the elements of C.
  Rounding rounding() const;
};

}  // namespace recombine
