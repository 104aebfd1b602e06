#pragma once

#include "distributed/rank_context.hpp"
#include "kernels/math.hpp"

namespace recombine {

/// The sum over this rank's parts of k, for one block of C:
///
///     C = activation(alpha (op(A_1) op(B_1) + op(A_2) op(B_2) + ...) + beta C + bias)
///
/// Every product of the project goes through this class. It counts the operations in RankContext::flops().
class LocalProduct {
 public:
  /// @param call everything except `a` and `b`; beta multiplies C as it is before the first term
  LocalProduct(RankContext& context, const Gemm& call) : LocalProduct(context, call, context.compute()) {}
  LocalProduct(RankContext& context, const Gemm& call, Stream& stream)
      : context_(context), stream_(stream), call_(call) {}

  /// Adds op(a) op(b), unless its k is 0. @param place  for observers (RankContext::observe_products)
  /// @throws Error if it is the second term and there is a bias or an activation
  void add(ConstMatrixView a, ConstMatrixView b, const ProductPlace& place = {});
  /// Call it after the last add(). If no term was added: C = activation(beta C + bias). @param type  of the operands
  void finish(DataType type);

 private:
  void multiply(ConstMatrixView a, ConstMatrixView b, const ProductPlace& place);

  RankContext& context_;
  Stream& stream_;
  Gemm call_;
  ProductPlace place_;  ///< of the latest add()
  bool has_terms_ = false;
};

}  // namespace recombine
