#pragma once

#include "distributed/rank_context.hpp"

namespace recombine {

/// The GFLOP/s of all ranks together if all multiply [n,n] x [n,n] of `type` at the same time; reports compare a run
/// with it. Takes about a tenth of a second. Every rank calls it and gets the same value.
double measure_peak_gflops(RankContext& context, Communicator& world, Stream& stream, DataType type);

}  // namespace recombine
