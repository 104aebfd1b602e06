#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "distributed/recombine.hpp"

namespace recombine {

/// Sums the flat gradient over mesh axis i while backward still runs. Backward completes ranges of the gradient, last
/// layer first. The ranges are gathered into buckets, and the all-reduce of a full bucket starts at once (Li et al.,
/// "PyTorch Distributed", VLDB 2020).
///
///     backward   | dW3 | dX3 | dW2 | dX2 | dW1 |
///     buckets                      |-- all-reduce 3+2 --|-- all-reduce 1 --|
class GradientReducer {
 public:
  static constexpr std::int64_t kBucketElements = std::int64_t{1} << 18;  // 1 MiB of f32

  GradientReducer(RankContext& context, VectorView gradient, std::int64_t bucket_elements = kBucketElements);

  /// Adds the range `ready`, which is complete on this rank. @pre it ends where the previous range begins
  void add(Range ready);

  /// Starts the all-reduce of the last bucket. Then, for each bucket: makes the compute stream wait for its sum, and
  /// calls `summed`.
  void finish(const std::function<void(Range)>& summed);

 private:
  struct Bucket {
    Range range;
    Pending sum;
  };
  void send(RankContext::Next next);

  RankContext& context_;
  VectorView gradient_;
  std::int64_t bucket_elements_;
  std::optional<Range> open_;
  std::vector<Bucket> sent_;
};

}  // namespace recombine
