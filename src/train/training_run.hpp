#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/nn/checkpoint/checkpoint_writer.hpp"
#include "src/program/rank_device.hpp"
#include "src/train/final_pass.hpp"
#include "src/train/outputs.hpp"
#include "src/train/rank_memory.hpp"
#include "src/train/resume.hpp"
#include "src/train/run_data.hpp"
#include "src/train/stop_request.hpp"

namespace recombine {

/// A run of `train` on this rank, from its options to its outputs.
class TrainingRun {
 public:
  TrainingRun(Session& session, const TrainCommand& command, const StopRequest& stop, const Mesh& mesh)
      : session_(session),
        command_(command),
        stop_(stop),
        rank_device_(make_rank_device(session, command.device)),
        world_(make_world(session)),
        stream_(device().make_stream(StreamUse::host)),
        memory_(memory_for(session, command)),
        read_(session, command, memory_, *world_, *stream_),
        data_(read_.tables()),
        chosen_(choose_options(command, data_, read_.kind(), read_.saved())),
        options_(chosen_.trainer),
        predicted_(predict(mesh)),
        context_(mesh, *world_, device(), rank_device_.collectives),
        all_(make_communicator(*world_, device(), rank_device_.collectives, 0, session.rank())) {}

  /// Returns the exit code.
  int run();

 private:
  Device& device() const { return *rank_device_.device; }
  bool on_gpu() const { return device().kind() == DeviceKind::cuda; }
  double data_bytes() const;
  MemoryBytes predict(const Mesh& mesh);
  void open_outputs();
  /// Sets the weights and the training state from --load or --resume.
  void restore(Trainer& trainer);
  void resume(Trainer& trainer);
  RunDescription describe(const Trainer& trainer);
  CheckpointWriter::Parts checkpoint_parts() {
    return {context_, *world_, *stream_, *all_, folder_ ? &*folder_ : nullptr};
  }
  /// None: the run was stopped.
  std::optional<RunResult> train(Trainer& trainer);
  Metadata model_metadata();
  Trainer::End train_with_checkpoints(Trainer& trainer);
  void print_stop(const Trainer& trainer);
  RunResult evaluate(Trainer& trainer);
  /// The epoch with whose weights the run ends; 0: the last one.
  std::int64_t best_epoch(const Trainer& trainer) const;
  FinalQuestions final_questions();
  /// Adds the scores and fingerprints of the final weights, and writes --save and --predictions.
  void finish_result(Trainer& trainer, RunResult& result);
  MemoryBytes counted_bytes();

  Session& session_;
  const TrainCommand& command_;
  const StopRequest& stop_;
  RankDevice rank_device_;
  std::unique_ptr<Communicator> world_;
  std::unique_ptr<Stream> stream_;
  RankMemory memory_;
  RunData read_;
  const SharedData& data_;
  ChosenOptions chosen_;
  TrainerOptions& options_;
  std::optional<CheckpointFolder> folder_;  ///< on rank 0; of --checkpoint
  std::optional<Outputs> outputs_;          ///< on rank 0
  MemoryBytes predicted_;
  RankContext context_;
  std::unique_ptr<Communicator> all_;  ///< all ranks, for the device's memory
  Fanout listeners_;
  Facts facts_;  ///< that --resume compares
  std::optional<Resumed> resumed_;
  std::optional<CheckpointResult> checkpoints_;
  std::vector<std::string> loaded_names_;
};

}  // namespace recombine
