#pragma once

#include <optional>

#include <sys/types.h>

namespace recombine {

/// Finds out how a process ended that is not a child of this process. The exit status comes from /proc/PID/stat until
/// the parent of the process calls wait(); after that from PIDFD_GET_INFO (Linux 6.15 and later).
class WatchedProcess {
 public:
  explicit WatchedProcess(pid_t process);
  ~WatchedProcess();
  WatchedProcess(const WatchedProcess&) = delete;
  WatchedProcess& operator=(const WatchedProcess&) = delete;

  pid_t id() const { return process_; }
  int handle() const { return handle_; }  ///< this object's open file descriptor; -1: none

  /// The signal that ended the process; 0 if it ended without a signal; none if the kernel does not say.
  /// Blocks until the process has ended, one second at most. @pre the process has closed its files
  std::optional<int> signal_of_end() const;

 private:
  pid_t process_;
  int handle_;  ///< a pidfd
};

}  // namespace recombine
