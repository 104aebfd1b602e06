#pragma once

#include "distributed/rank_context.hpp"

namespace recombine {

/// GFLOP/s of all ranks together. 0: unknown
struct Peak {
  double gflops = 0;        ///< that the ranks sustain; reports compare a run with it
  double burst_gflops = 0;  ///< of one product after a pause: a GPU is faster then, until its power limits it
};

/// Measures the peak: all ranks multiply [n,n] x [n,n] of `type` at the same time. Takes about a tenth of a second, and
/// 0.2 s more on a GPU. On a CPU both values are those of one product. Every rank calls it and gets the same values.
Peak measure_peak(RankContext& context, Communicator& world, Stream& stream, DataType type);

}  // namespace recombine
