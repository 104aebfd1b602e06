#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/nn/checkpoint/checkpoint_writer.hpp"
#include "src/nn/trainer.hpp"
#include "src/program/command_line.hpp"
#include "src/train/checkpoint_command.hpp"
#include "src/train/options.hpp"

namespace recombine {

/// What a run and the run that continues it must have in common: the data, the network, the batches, the optimizer and
/// the seed. An evaluation needs only the network. Every rank calls it.
Facts resume_facts(const Session& session, const TrainCommand& command, const SharedData& data);

/// What a checkpoint says of the run that wrote it; a resumed run may differ in it.
Fact schedule_fact(const Trainer& trainer);

/// The checkpoint that a run continues.
struct Resumed {
  std::string path;
  TrainState state;
  std::vector<std::string> notes;  ///< for the user: newer checkpoints that are damaged
  std::string schedule_note;       ///< for the user: the schedule of the learning rate changes; empty: it does not
};

/// Restores the model and the moments of `trainer` from --resume. Every rank calls it. None: --resume auto, and there is
/// no checkpoint.
/// @param folder  of --checkpoint, on rank 0; may be null for --resume FILE
/// @throws InputError on every rank: a file is damaged, and there is none before it; or the facts differ
std::optional<Resumed> resume(Session& session, const CheckpointWriter::Parts& parts, Trainer& trainer,
                              const CheckpointCommand& command, const Facts& facts);

}  // namespace recombine
