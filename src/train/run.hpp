#pragma once

#include "distributed/session.hpp"
#include "src/train/options.hpp"

namespace recombine {

/// All of `train`: loads the data, trains, saves and reports. Every rank calls it.
/// @throws InputError on every rank if input is wrong or training diverges; only --metrics may then have been written
void run_training(Session& session, const TrainCommand& command);

}  // namespace recombine
