#pragma once

#include <functional>
#include <optional>
#include <string>

#include "src/nn/checkpoint/checkpoint_header.hpp"
#include "src/nn/checkpoint/checkpoint_writer.hpp"
#include "src/nn/step_agreement.hpp"
#include "src/nn/trainer.hpp"
#include "src/report/train_report.hpp"
#include "src/train/checkpoint_command.hpp"
#include "src/train/stop_request.hpp"

namespace recombine {

/// Writes the checkpoints of a run, and ends it early if a rank is asked to stop. The ranks agree on both without
/// waiting for each other (StepAgreement).
class Checkpointing : public TrainingControl {
 public:
  /// @param stop  the requests to this rank
  /// @param facts  the seed, and the options that a resumed run must have in common with this one
  Checkpointing(const CheckpointWriter::Parts& parts, Trainer& trainer, const CheckpointCommand& command,
                const StopRequest& stop, CheckpointInfo facts);

  Wish after_step(const TrainState& state) override;
  bool stops_evaluation() override;
  void save(const TrainState& state) override;
  /// Waits for the last checkpoint. Every rank calls it. @throws Error on every rank if it could not be written
  void finish() { writer_.finish(); }
  /// The state in the newest checkpoint, which needs no other one. For a run that is resumed from it.
  void set_saved(const TrainState& state) { saved_ = state; }

  const CheckpointResult& result() const { return result_; }

 private:
  /// Exchanges words with the other ranks. Returns true if a rank is asked to stop.
  bool exchange();
  bool is_due() const;
  void wait_for_last();

  CheckpointWriter::Parts parts_;
  Trainer& trainer_;
  const CheckpointCommand& command_;
  const StopRequest& stop_;
  CheckpointInfo info_;
  CheckpointWriter writer_;
  StepAgreement agreement_;
  StepAgreement::Words agreed_{};
  std::optional<TrainState> saved_;
  std::int64_t begun_ = 0;  ///< checkpoints of this run
  double begun_at_;         ///< the time of the latest of them, or of the construction
  CheckpointResult result_;
};

}  // namespace recombine
