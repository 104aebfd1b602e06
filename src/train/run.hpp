#pragma once

#include "distributed/session.hpp"
#include "src/train/options.hpp"
#include "src/train/stop_request.hpp"

namespace recombine {

/// All of `train`: loads the data, trains, saves and reports. Returns the exit code: kExitStopped if `stop` ended
/// training early, after a checkpoint. Every rank calls it.
/// @throws InputError on every rank if input is wrong or training diverges; only --metrics may then have been written
int run_training(Session& session, const TrainCommand& command, const StopRequest& stop);

}  // namespace recombine
