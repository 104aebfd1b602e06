#include "src/matmul/explain/whole_product.hpp"

namespace recombine {

WholeProduct::WholeProduct(RankContext& context, Communicator& group, const MatmulShape& of,
                           const LocalMatrices& matrices)
    : shape(of),
      a(whole_of(context, group, matrices.a, Transpose::yes)),
      b(whole_of(context, group, matrices.b)),
      c(whole_of(context, group, matrices.c)) {}

Rounding WholeProduct::rounding() const { return {shape.type, static_cast<double>(shape.k) * largest(a) * largest(b)}; }

}  // namespace recombine
