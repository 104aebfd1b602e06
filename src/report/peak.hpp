#pragma once

#include "distributed/rank_context.hpp"

namespace recombine {

/// GFLOP/s of all ranks together. 0: unknown
struct Peak {
  double gflops = 0;        ///< that the ranks sustain; reports compare a run with it
  double burst_gflops = 0;  ///< of one product after a pause, before a GPU's power limit lowers its clock
};

/// Measures the peak: all ranks multiply [n,n] x [n,n] of `type` at the same time. Takes about 0.1 s on a CPU and 0.3 s
/// on a GPU. On a CPU both values are those of one product. Every rank calls it and gets the same values.
Peak measure_peak(RankContext& context, Communicator& world, Stream& stream, DataType type);

}  // namespace recombine
