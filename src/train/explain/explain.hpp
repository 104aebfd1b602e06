#pragma once

#include "distributed/session.hpp"
#include "src/nn/trainer.hpp"
#include "src/train/options.hpp"

namespace recombine {

/// What --explain needs to know of a run.
struct ExplainedRun {
  const Session& session;
  const TrainCommand& command;
  const TrainerOptions& options;
  const SharedData& data;
  const TableSchema& schema;  ///< on rank 0
  RankContext& context;
  Communicator& all;  ///< all ranks of the mesh, in its order, for memory of the context's device
};

/// Refuses networks and batches whose numbers do not fit the screen. @throws InputError, the same on every rank
void require_explainable(const TrainerOptions& options);

/// Trains the first steps with `trainer`, and prints their numbers: as sums of scalars, as products of matrices, and
/// what each rank computed. The numbers are the trainer's own; a ProductObserver and the journal record who computes
/// them. Every rank calls it; rank 0 prints. @throws Error if scalars and matrices differ
void explain_training(const ExplainedRun& run, Trainer& trainer);

}  // namespace recombine
