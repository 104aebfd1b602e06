#pragma once

#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include "kernels/file_descriptor.hpp"

namespace recombine {

/// Requests that this process stop early: SIGUSR1, SIGTERM and --time-limit. From its construction on, the first signal
/// is noted and does not end the process. A second signal ends it at once, unless it comes within 0.5 s of the first: if
/// a batch system signals mpirun and its ranks, mpirun forwards the signal too, so a rank gets one request twice.
/// Two kinds of SIGTERM are no request and always end the process: those of mpirun or its daemons (Open MPI sends them
/// to the other ranks after one rank has died), and those of a watcher that has lost another host (watched_links.hpp).
/// A process has at most one object.
class StopRequest {
 public:
  StopRequest();   ///< called before MPI_Init, on the only thread. @throws Error
  ~StopRequest();  ///< restores the earlier signal actions, unless ignore_signals() was called
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  /// Adds a request `seconds` after the construction. @param text the limit as given, such as "55m"
  void limit_time(double seconds, std::string text);

  /// Signals have their usual effect again. If one came already, it takes effect now.
  void release();

  /// Ignores both signals until the process ends. Called once the checkpoint is complete and exit code 75 is certain:
  /// the same request may still come from another sender, or to another rank.
  void ignore_signals();

  /// What asks this process to stop: "SIGUSR1", "SIGTERM" or "--time-limit 55m"; none: it may go on. Any thread may call
  /// it. It takes less than a microsecond.
  std::optional<std::string> reason() const;

 private:
  using Clock = std::chrono::steady_clock;

  void start_thread();
  void end_thread();
  void restore_actions();

  Clock::time_point start_ = Clock::now();
  std::optional<Clock::duration> limit_;
  std::string limit_text_;
  std::array<struct sigaction, 2> before_{};  ///< the actions for SIGUSR1 and SIGTERM
  bool released_ = false;
  sigset_t mask_before_{};  ///< of the thread that has made this
  FileDescriptor end_;      ///< eventfd: the thread ends
  /// Only this thread takes the two signals. On the others a handler could overwrite memory: products of oneDNN use the
  /// register of the stack pointer for other addresses.
  std::thread thread_;
};

}  // namespace recombine
