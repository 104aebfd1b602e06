#pragma once

#include <optional>
#include <string>

#include "distributed/io/shared_file.hpp"
#include "distributed/io/temporary_file.hpp"
#include "src/nn/checkpoint/background_task.hpp"
#include "src/nn/checkpoint/checkpoint_folder.hpp"
#include "src/nn/checkpoint/snapshot.hpp"

namespace recombine {

/// Writes checkpoints, one at a time, while training goes on. Each rank writes its share of one file.
///
///     each rank   begin(): snapshot | training ...                                          finish() or begin()
///     its thread                    | pwrite, fsync |
///     rank 0's thread                               | all have written: rename, `latest`, remove older ones |
///
/// The caller exchanges progress() between the ranks, and passes the least value to advance().
class CheckpointWriter {
 public:
  struct Parts {
    RankContext& context;
    Communicator& world;       ///< all ranks, for the host's memory
    Stream& stream;            ///< with StreamUse::host, for calls of `world`
    Communicator& group;       ///< all ranks, for memory of the context's device
    CheckpointFolder* folder;  ///< on rank 0; elsewhere null
  };
  struct Options {
    std::string name;       ///< error messages begin with it: "--checkpoint DIR"
    std::int64_t keep = 3;  ///< how many of the newest checkpoints stay
  };

  CheckpointWriter(const Parts& parts, const TrainedTensors& tensors, Options options);

  /// Copies the tensors; then a thread writes the file of `step`: `header`, then the tensors. Every rank calls it.
  /// @pre the previous checkpoint is finished: see finish()
  /// @throws Error on every rank if the file cannot be made, or does not fit on the disk
  void begin(std::int64_t step, const std::string& header);

  /// This rank's progress. Each checkpoint adds 2: one when this rank's share is on disk, one when this rank has
  /// nothing left to do. Does not wait.
  std::int64_t progress() const;
  /// True if this rank has failed: then every rank must call finish().
  bool failed() const;
  /// Tells this rank that the progress() of every rank is at least `least`.
  void advance(std::int64_t least);
  /// True if a checkpoint was begun, and this rank does not know yet that all ranks have finished it.
  bool is_busy() const { return known_ < 2 * begun_; }
  /// Waits until the checkpoint is finished. Every rank calls it. @throws Error on every rank if a rank has failed; the
  /// older checkpoints stay
  void finish();

 private:
  void create(std::int64_t step, std::int64_t bytes);
  void write_share(const std::string& header);
  void start_commit();

  Parts parts_;
  Options options_;
  Snapshot snapshot_;
  std::int64_t tensor_bytes_;
  std::int64_t begun_ = 0;                  ///< number of checkpoints
  std::int64_t known_ = 0;                  ///< the progress that all ranks have reached
  std::int64_t step_ = 0;                   ///< of the latest checkpoint
  std::optional<TemporaryFile> temporary_;  ///< on rank 0
  std::optional<SharedFile> file_;
  std::optional<BackgroundTask> share_, commit_;  ///< last members: their threads end before the files close
};

}  // namespace recombine
