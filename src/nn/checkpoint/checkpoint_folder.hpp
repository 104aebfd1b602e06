#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/file_descriptor.hpp"

namespace recombine {

/// The folder of a run's checkpoints, on rank 0. A lock keeps other runs out until this process ends, even if it is
/// killed.
///
///     step-00001234.safetensors   a complete checkpoint, after 1234 steps
///     latest                      the name of the newest one: a line of text
///     lock                        empty; flock()
///     .recombine-*.tmp            an unfinished file (TemporaryFile)
///
/// The newest checkpoint is the one of the largest step; file times do not count, because a clock can be set back.
/// Error messages begin with "--checkpoint DIR". Other files, folders and symbolic links in the folder stay unchanged.
class CheckpointFolder {
 public:
  /// Makes the folder if it is missing, takes the lock, and removes unfinished files of runs that have ended.
  /// @throws InputError if another run holds the lock, or the folder cannot be made or written
  explicit CheckpointFolder(const std::string& path);

  const std::string& name() const { return name_; }  ///< "--checkpoint DIR"
  std::string path_of(std::int64_t step) const;      ///< where the checkpoint of this step is, or will be
  bool has_checkpoints() const;
  /// The paths of the checkpoints to try, newest first, beginning with the one that `latest` names. They begin with the
  /// largest step if `latest` is missing or damaged, or if all checkpoints have larger steps than it names.
  std::vector<std::string> candidates() const;

  /// Makes the checkpoint of `step` the newest. @pre publish() has put the complete file at path_of(step). Blocks until
  /// it is on disk. Then deletes all but the `keep` newest checkpoints up to `step`, and those of larger steps: a
  /// resumed run has made them obsolete. After an error the older checkpoints are still there.
  /// @throws Error
  void commit(std::int64_t step, std::int64_t keep) const;

  /// @throws Error if the folder was removed or replaced since construction
  void require_there() const;
  /// Runs `work`, which makes a file in the folder during the run. @throws Error instead of an InputError of `work`: the
  /// option was right when the run began
  void make_file(const std::function<void()>& work) const;

 private:
  void take_lock();
  void remove_unfinished() const;
  std::vector<std::int64_t> steps() const;
  std::int64_t latest() const;

  std::string path_, name_;
  FileDescriptor folder_, lock_;
};

}  // namespace recombine
