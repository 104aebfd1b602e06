#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/file_descriptor.hpp"

namespace recombine {

/// The folder of a run's checkpoints, on rank 0. One run at a time: a lock keeps others out until the holder ends,
/// however it ends.
///
///     step-00001234.safetensors   a whole checkpoint, after 1234 steps
///     latest                      the name of the newest one: a line of text
///     lock                        empty; flock()
///     .recombine-*.tmp            an unfinished file (TemporaryFile)
///
/// Steps decide what is newest; times do not, because clocks are set back. Messages of errors begin with "--checkpoint
/// DIR". Other files, folders and symbolic links in the folder are left alone.
class CheckpointFolder {
 public:
  /// Makes the folder if it is missing, takes the lock, and removes unfinished files of runs that have ended.
  /// @throws InputError if another run holds the lock, or the folder cannot be made or written
  explicit CheckpointFolder(const std::string& path);

  const std::string& name() const { return name_; }  ///< "--checkpoint DIR"
  std::string path_of(std::int64_t step) const;      ///< where the checkpoint of this step is, or will be
  bool has_checkpoints() const;
  /// The paths of the checkpoints to try, newest first: from the one that `latest` names down. If `latest` is missing or
  /// damaged, or all checkpoints are newer: from the largest step down.
  std::vector<std::string> candidates() const;

  /// Makes the whole checkpoint of this step, which publish() has just put at path_of(step), the newest. Blocks until
  /// the disk has it. Then deletes the other checkpoints, except the `keep` newest up to this step: larger steps belong
  /// to a branch that a resumed run has left. After an error the checkpoints of before are still there.
  /// @throws Error
  void commit(std::int64_t step, std::int64_t keep) const;

  /// @throws Error if the folder was removed or replaced since construction
  void require_there() const;

 private:
  void take_lock();
  void remove_unfinished() const;
  std::vector<std::int64_t> steps() const;
  std::int64_t latest() const;

  std::string path_, name_;
  FileDescriptor folder_, lock_;
};

}  // namespace recombine
