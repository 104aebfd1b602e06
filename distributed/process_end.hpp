#pragma once

#include <optional>

#include <sys/types.h>

namespace recombine {

/// A process that is not this one's child, and how it ended. By what the kernel keeps: the state of a process that
/// nobody has waited for yet (/proc/PID/stat), or, from Linux 6.15 on, of one that is gone (PIDFD_GET_INFO).
class WatchedProcess {
 public:
  explicit WatchedProcess(pid_t process);
  ~WatchedProcess();
  WatchedProcess(const WatchedProcess&) = delete;
  WatchedProcess& operator=(const WatchedProcess&) = delete;

  pid_t id() const { return process_; }
  int handle() const { return handle_; }  ///< the file that this holds open; -1: none

  /// The signal that ended it, 0 if it ended by itself; nothing if the kernel does not tell.
  /// Blocks until it has ended, one second at most. @pre it has closed its files
  std::optional<int> signal_of_end() const;

 private:
  pid_t process_;
  int handle_;  ///< a pidfd
};

}  // namespace recombine
