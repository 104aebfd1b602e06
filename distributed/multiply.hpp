#pragma once

#include "distributed/dist_matrix.hpp"
#include "distributed/rank_context.hpp"
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

/// Partial -> Replicated (all_reduce), Partial -> Sharded (reduce_scatter), Sharded -> Replicated (all_gather),
/// along `axis`; nothing moves where the state is reached already, or is only a piece of what a rank has (Replicated ->
/// Sharded). The compute stream waits for the result.
void recombine(RankContext& context, DistMatrix& matrix, Axis axis, State target);

/// The rows of a block, from its first, that rank `index` of the `parts` along an axis has in the state Sharded.
Range shard_of(const Block& block, int parts, int index);

/// Brings a matrix that stands at rest, cut by rows_then, together: all_gather along that axis into `to`, placed
/// likewise but for rows_then. The compute stream waits for it.
void gather_at_rest(RankContext& context, const DistMatrix& from, DistMatrix& to);

}  // namespace recombine
