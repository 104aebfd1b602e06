#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/nn/trained_tensors.hpp"

namespace recombine {

/// What each rank of a mesh holds; both lists are indexed by rank.
struct RanksSums {
  std::vector<std::string> places;               ///< "rank 1 on node7"
  std::vector<std::vector<std::uint64_t>> sums;  ///< for each tensor, the fingerprint of the rank's part
};

/// Names the tensors whose copies differ, and the ranks that hold them. If more than half of the copies are equal, the
/// other ranks are named as those that differ; otherwise all ranks that hold a copy. Empty if all copies are equal.
std::string describe_differences(const Mesh& mesh, const TrainedTensors& tensors, const RanksSums& ranks);

}  // namespace recombine
