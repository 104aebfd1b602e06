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
  const DistMatrix* bias = nullptr;  ///< [1, columns of C], cut like them; only where nothing is left to sum
  Activation activation = Activation::identity;
};

/// multiply(A[x,k], B[k,y]) is a local product on every rank: C[x,y], Partial over the axis that cuts the
/// contracted dimension (where it cuts it into one part, C is complete and bias and activation are applied).
/// @throws Error when the placements or shapes do not fit
void multiply(RankContext& context, const Product& product);

/// True where the contracted dimension of op(A) op(B) is in one part, so that multiply() leaves nothing to sum.
bool complete_after_multiply(const Mesh& mesh, const DistMatrix& a, Transpose trans_a);

/// Sets the state of the result C of a product whose contracted dimension is cut by `contracted`: Partial over that axis
/// (if it has several parts), Replicated over the others.
void set_product_state(const Mesh& mesh, DistMatrix& c, std::optional<Axis> contracted);

}  // namespace recombine
