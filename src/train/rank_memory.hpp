#pragma once

#include <string>

#include "distributed/session.hpp"
#include "src/nn/training_bytes.hpp"
#include "src/train/options.hpp"

namespace recombine {

/// What a rank may use of its host's memory: its share, or --memory-limit if that is less.
struct RankMemory {
  double bytes = 0;
  std::string limit = {};  ///< the option that sets it, for messages; "": the share
};
RankMemory memory_for(const Session& session, const TrainCommand& command);

/// Checks that this rank may use `bytes` of host memory for training.
/// @throws InputError if not; it names the option that can reduce the largest part
void require_memory(const TrainerOptions& options, const MemoryBytes& bytes, const RankMemory& memory);

}  // namespace recombine
