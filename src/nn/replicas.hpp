#pragma once

#include <cstdint>
#include <vector>

#include "distributed/rank_context.hpp"
#include "src/nn/trained_tensors.hpp"

namespace recombine {

/// Compares the copies that ranks hold of the same part of a tensor, along every axis that replicates it. Returns the
/// fingerprint of each tensor: Math::fingerprint with the tensor's number in `tensors`. Equal tensors have the same
/// fingerprint on every mesh and device. A part that only one rank holds cannot be compared. Every rank of the mesh
/// calls this; it blocks until all earlier work on the compute stream is done.
/// @param step  steps done, for the message
/// @throws AgreedError on every rank if copies differ in a bit; the message names the tensors and the ranks
std::vector<std::uint64_t> compare_replicas(RankContext& context, const TrainedTensors& tensors, std::int64_t step);

}  // namespace recombine
