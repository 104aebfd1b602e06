#pragma once

#include "distributed/dist_matrix.hpp"
#include "distributed/recombine.hpp"
#include "kernels/math.hpp"

namespace recombine {

/// C = activation(alpha op(A) op(B) + beta C + bias)
struct Product {
  const DistMatrix& a;
  Transpose trans_a = Transpose::no;
  const DistMatrix& b;
  Transpose trans_b = Transpose::no;
  DistMatrix& c;
  double alpha = 1;
  double beta = 0;
  const DistMatrix* bias = nullptr;  ///< [1, columns of C], cut like them; only if C is complete after multiply()
  Activation activation = Activation::identity;
  Stream* stream = nullptr;  ///< null: the compute stream
  What what = {};            ///< for observers (RankContext::observe_products)
};

/// A local product on every rank: A[x,k] times B[k,y] gives C[x,y], Partial over the axis that cuts the contracted
/// dimension. If that axis has only one part, C is complete, and bias and activation are applied.
/// @throws Error if the placements or shapes do not match
void multiply(RankContext& context, const Product& product);

/// True if the contracted dimension of op(A) op(B) has one part. Then C is complete after multiply().
bool complete_after_multiply(const Mesh& mesh, const DistMatrix& a, Transpose trans_a);

/// Sets the state of C, the result of a product. `contracted` is the axis that cuts the contracted dimension: C is
/// Partial over it if it has several parts, and Replicated over the other axes.
void set_product_state(const Mesh& mesh, DistMatrix& c, std::optional<Axis> contracted);

}  // namespace recombine
