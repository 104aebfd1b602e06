#pragma once

#include "distributed/mesh_rank.hpp"

namespace recombine {

/// GFLOP/s of all ranks together in f32 products [n,n] x [n,n], all at once: what training is measured against.
/// Takes about a tenth of a second. Every rank calls it and gets the same.
double measure_peak_gflops(MeshRank& rank, Communicator& world, Stream& stream);

}  // namespace recombine
