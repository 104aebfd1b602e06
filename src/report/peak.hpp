#pragma once

#include "distributed/rank_context.hpp"

namespace recombine {

/// GFLOP/s of all ranks together in products [n,n] x [n,n] of `type`, all at once: what a run is measured against.
/// Takes about a tenth of a second. Every rank calls it and gets the same.
double measure_peak_gflops(RankContext& context, Communicator& world, Stream& stream, DataType type);

}  // namespace recombine
