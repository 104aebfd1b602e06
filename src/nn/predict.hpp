#pragma once

#include "src/nn/checkpoint/bands.hpp"
#include "src/nn/trainer.hpp"

namespace recombine {

/// Runs the network over a table, batch by batch, and sends the outputs [rows, outputs] (before softmax) to rank 0, in
/// the order of the rows. Rank 0 calls `visit` with whole rows, several at a time. Every rank of the mesh calls it.
/// @param group  all ranks of the mesh, in its order, for memory of the context's device
/// @throws what `visit` threw, on rank 0 alone, after the last batch
void for_each_output(RankContext& context, Communicator& group, Trainer& trainer, const DeviceTable& table,
                     const BandReader::Visit& visit);

}  // namespace recombine
