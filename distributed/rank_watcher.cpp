#include "distributed/rank_watcher.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "distributed/temporary_file.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

/// The child: in a session of its own, so that no signal meant for the process's group ends it, and with nothing of the
/// process's open, so that nobody waits for it.
[[noreturn]] void watch(int pipe) {
  setsid();
  prctl(PR_SET_NAME, "recombine-tidy");
  dup2(pipe, STDIN_FILENO);
  close_range(STDIN_FILENO + 1, ~0U, 0);
  char none = 0;
  while (read(STDIN_FILENO, &none, 1) < 0 && errno == EINTR) {
  }
  TemporaryFile::remove_all_of_ended_process();
  _exit(0);
}

}  // namespace

void start_rank_watcher() {
  TemporaryFile::share_with_children();
  std::array<int, 2> pipe{};
  require(pipe2(pipe.data(), O_CLOEXEC) == 0, "cannot open a pipe to a child process: {}", std::strerror(errno));
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  const pid_t child = fork();
  if (child == 0) {
    close(pipe[1]);
    watch(pipe[0]);
  }
  const int error = errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  close(pipe[0]);  // the other end stays open as long as this process is there
  errno = error;
  require(child > 0, "cannot start a child process: {}", std::strerror(errno));
}

}  // namespace recombine
