#pragma once

#include <functional>
#include <vector>

#include "distributed/recombine.hpp"

namespace recombine {

/// Sums the flat gradient over mesh axis i while backward still runs. Backward completes ranges of the gradient, last
/// layer first. The all-reduce of a bucket starts as soon as backward has completed all of it (Li et al., "PyTorch
/// Distributed", VLDB 2020).
///
///     backward   | dW3 | dX3 | dW2 | dX2 | dW1 |
///     buckets                |-- all-reduce 3+2 --|-- all-reduce 1 --|
class GradientReducer {
 public:
  /// @param buckets  consecutive ranges that cover `gradient`, from the last to the first (ParameterLayout::buckets)
  GradientReducer(RankContext& context, VectorView gradient, std::vector<Range> buckets);

  /// Tells that the gradient is complete on this rank in the range `completed`. @pre it ends where the previous range
  /// begins
  void add(Range completed);

  /// Makes `stream` wait for the sums of all buckets that begin at element `begin` or later, except those of earlier
  /// calls. Returns the range of these buckets; empty if there are none. @pre the gradient was added from `begin` on
  Range wait_from(std::int64_t begin, Stream& stream);

  /// For each bucket that wait_from() has not returned: makes the compute stream wait for its sum, and calls `summed`.
  /// Afterwards add() may be called for the next step. @pre all of the gradient was added
  void finish(const std::function<void(Range)>& summed);

 private:
  RankContext& context_;
  VectorView gradient_;
  std::vector<Range> buckets_;
  std::int64_t complete_from_;  ///< the gradient is complete from this element to its end
  std::vector<Pending> sums_;   ///< of the first buckets
  std::size_t waited_ = 0;      ///< number of buckets that wait_from() has returned
};

}  // namespace recombine
