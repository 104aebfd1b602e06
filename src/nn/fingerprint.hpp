#pragma once

#include <cstdint>

#include "src/nn/model.hpp"

namespace recombine {

/// One number for all weights of a model: the sum modulo 2^64 of Math::fingerprint over all tensors. Equal weights have
/// the same fingerprint on every mesh and device. Every rank calls this.
/// @param world  all ranks, for the host's memory  @param stream  with StreamUse::host
/// @throws Error on every rank if ranks that hold copies of a tensor have different bits; the message names the tensor
std::uint64_t weights_fingerprint(RankContext& context, Communicator& world, Stream& stream, const Model& model);

}  // namespace recombine
