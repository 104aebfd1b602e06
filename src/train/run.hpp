#pragma once

#include "distributed/session.hpp"
#include "src/train/options.hpp"

namespace recombine {

/// The program `train` from its options to its last line. Every rank calls it.
/// @throws InputError on every rank when input is wrong; then nothing was written
void run_training(Session& session, const TrainCommand& command);

}  // namespace recombine
