#pragma once

#include "distributed/session.hpp"
#include "src/train/options.hpp"

namespace recombine {

/// All of `train --compare-batching`: trains with an update after each row, each mini-batch, and all rows, on the same
/// data from the same first weights, and compares the three. Returns the exit code. Every rank calls it.
/// @throws InputError on every rank if input is wrong or a training diverges; nothing is written then
int compare_batching(Session& session, const TrainCommand& command, const Mesh& mesh);

}  // namespace recombine
