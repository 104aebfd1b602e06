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

/// What must be the same in a run and in the run that resumes it: the data, the network, the batches, the optimizer and
/// the seed. An evaluation needs only the network. Every rank calls it.
Facts resume_facts(const Session& session, const TrainCommand& command, const SharedData& data,
                   const TrainerOptions& options);

/// The weight decay, as a checkpoint stores it. resume_facts() has it only if the user gave it.
Fact weight_decay_fact(const TrainerOptions& options);

/// The schedule of the learning rate, as a checkpoint stores it. A resumed run may have another one.
Fact schedule_fact(const Trainer& trainer);

/// The checkpoint from which a run continues.
struct Resumed {
  std::string path;
  TrainState state;
  std::vector<std::string> notes;  ///< for the user: newer checkpoints that are damaged
  std::string schedule_note;       ///< for the user: the schedule of the learning rate changes; empty: it does not
};

/// Restores the model and the moments of `trainer` from --resume. Every rank calls it. Returns none if --resume auto
/// finds no checkpoint.
/// @param folder  of --checkpoint, on rank 0; may be null for --resume FILE
/// @throws InputError on every rank if FILE or every checkpoint is damaged, or if the facts differ
std::optional<Resumed> resume(Session& session, const CheckpointWriter::Parts& parts, Trainer& trainer,
                              const CheckpointCommand& command, const Facts& facts);

}  // namespace recombine
