// gather: every rank collects the whole blocks that it needs, then multiplies once.
//
//     mesh 2x3x1: rank (i, j) has piece j of A_i and piece i of B_j
//
//              j=0   j=1   j=2                           A_i: all_gather along j      B_j: all_gather along i
//       i=0   A.0   A.1   A.2      A.0 <-> A.1 <-> A.2       (ranks of a row)            (ranks of a column)
//       i=1   A.0   A.1   A.2
//                                  then  C_ij = A_i B_j     one local product
//
// The most memory (whole blocks), the fewest messages. Agarwal et al., "A three-dimensional approach to parallel
// matrix multiplication", IBM J. Res. Dev. 39(5), 1995; with i = j = 1 it is split-K, with j = k = 1 or i = k = 1 the
// product by blocks of rows or of columns.

#include <optional>

#include "distributed/matmul/matmul.hpp"
#include "distributed/recombine.hpp"

namespace recombine {

namespace {

/// The whole blocks of an operand. If the axis has one part, this rank already has them, and nothing is copied.
DistMatrix gathered(RankContext& context, const DistMatrix& rest, Workspace& workspace, std::size_t slot) {
  Placement whole = rest.placement();
  const Axis axis = *whole.rows_then;
  whole.rows_then.reset();
  const DistMatrix::Shape shape{rest.rows(), rest.cols()};
  if (context.mesh().parts(axis) == 1) return {context.mesh(), context.coord(), shape, whole, rest.memory()};
  const std::int64_t size = DistMatrix::local_size(context.mesh(), context.coord(), shape, whole);
  DistMatrix blocks(context.mesh(), context.coord(), shape, whole,
                    workspace.get(context.device(), slot, rest.memory().type, size));
  gather_at_rest(context, rest, blocks, {.name = slot == 0 ? "gather A" : "gather B"});
  return blocks;
}

}  // namespace

void multiply_gather(RankContext& context, const Matmul& call) {
  LocalProduct sum = begin_product(context, call);
  const DistMatrix a = gathered(context, call.a, call.workspace, 0);
  const DistMatrix b = gathered(context, call.b, call.workspace, 1);
  const Block& of_b = only_block(b);
  sum.add(only_block(a).view, of_b.view, {.k = of_b.rows});
  sum.finish(call.a.memory().type);
}

}  // namespace recombine
