#pragma once

#include "src/nn/shared_data.hpp"
#include "src/train/defaults.hpp"
#include "src/train/options.hpp"
#include "src/train/rank_memory.hpp"
#include "src/train/saved_network.hpp"

namespace recombine {

/// Refuses wrong combinations of files, and a mesh whose size is not the number of ranks. Every rank calls it.
/// @throws InputError on every rank
void check_command(Session& session, const TrainCommand& command, const Mesh& mesh);

/// Reads the tables of --data, --validation and --test into this rank's memory. If `saved` describes its training
/// table, reads them in the same way.
/// @param memory  what each rank of the host may use; before training begins, the data may use all of it
/// @throws InputError
DataSet load_tables(const Session& session, const TrainCommand& command, const RankMemory& memory,
                    const std::optional<SavedNetwork>& saved);

/// The options of a trainer, and those that the user did not give.
struct ChosenOptions {
  TrainerOptions trainer;
  std::string defaults;  ///< the options that were chosen for these data: "--hidden 100 --epochs 60"; "": none
};

/// Takes each option from the user; else from the network of `saved`; else a default for the data.
ChosenOptions choose_options(const TrainCommand& command, const SharedData& data, DataFacts::Kind kind,
                             const std::optional<SavedNetwork>& saved);

/// @throws InputError if --init does not have as many numbers as the network has parameters
void require_init(const TrainCommand& command, const ModelShape& model);

}  // namespace recombine
