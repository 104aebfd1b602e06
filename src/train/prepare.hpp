#pragma once

#include "src/nn/shared_data.hpp"
#include "src/train/options.hpp"
#include "src/train/rank_memory.hpp"

namespace recombine {

/// Refuses wrong combinations of files, and a mesh whose size is not the number of ranks. Every rank calls it.
/// @throws InputError on every rank
void check_command(Session& session, const TrainCommand& command, const Mesh& mesh);

/// Reads the tables of --data and --validation into this rank's memory.
/// @param memory  what each rank of the host may use; before training begins, the data may use all of it
/// @throws InputError
LoadedData load_tables(const Session& session, const TrainCommand& command, const RankMemory& memory);

TrainerOptions trainer_options(const TrainCommand& command, const SharedData& data);

}  // namespace recombine
