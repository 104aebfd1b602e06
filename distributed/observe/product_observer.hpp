#pragma once

#include "distributed/dist_matrix.hpp"
#include "distributed/observe/what.hpp"
#include "kernels/math.hpp"

namespace recombine {

/// Where a local product stands in a product of whole matrices. An empty range: the caller did not name it.
struct ProductPlace {
  What what = {};  ///< its result: "Y" of a layer
  Area c = {};     ///< the rows and columns of the whole result
  Range k = {};    ///< of the whole contracted dimension
};

/// One term of a local product, C += op(A) op(B), that this rank has just computed. If its part of k is empty, C += 0.
struct ObservedProduct {
  const Gemm& call;
  const ProductPlace& place;
};

/// Sees every product of a rank, in the order in which they are enqueued. For programs that show them.
class ProductObserver {
 public:
  virtual ~ProductObserver() = default;
  virtual void on_product(const ObservedProduct& product) = 0;
};

}  // namespace recombine
