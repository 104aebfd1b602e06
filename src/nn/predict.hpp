#pragma once

#include "src/nn/checkpoint/bands.hpp"
#include "src/nn/trainer.hpp"

namespace recombine {

/// Runs the network over a table, batch by batch, and brings the outputs [rows, outputs] to rank 0, without softmax, in
/// the order of the rows. Calls `visit` there with some whole rows at a time. Every rank of the mesh calls it.
/// @param group  all ranks of the mesh, in its order, for memory of the context's device
/// @throws what `visit` threw, on rank 0 alone, after the last batch
void for_each_output(RankContext& context, Communicator& group, Trainer& trainer, const DeviceTable& table,
                     const BandReader::Visit& visit);

}  // namespace recombine
