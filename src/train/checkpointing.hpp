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

/// Writes the checkpoints of a run, and ends it early if a rank is asked to stop. The ranks agree on both, and do
/// not wait for each other (StepAgreement).
class Checkpointing : public TrainingControl {
 public:
  /// @param stop  the requests to this rank
  /// @param facts  the seed, and the options that must be the same in a resumed run
  Checkpointing(const CheckpointWriter::Parts& parts, Trainer& trainer, const CheckpointCommand& command,
                const StopRequest& stop, CheckpointInfo facts);

  Wish after_step(const TrainState& state) override;
  bool stops_evaluation() override;
  void save(const TrainState& state) override;
  /// Waits for the last checkpoint. Every rank calls it. @throws Error on every rank if it could not be written
  void finish() { writer_.finish(); }
  /// Tells that the newest checkpoint holds `state`, so save() writes it no second time. For a resumed run.
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
  std::int64_t begun_ = 0;  ///< number of checkpoints of this run
  double begun_at_;         ///< when the latest of them began; at first, the time of construction
  CheckpointResult result_;
};

}  // namespace recombine
