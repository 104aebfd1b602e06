#include "distributed/rank_watcher.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "distributed/cgroup.hpp"
#include "distributed/process_end.hpp"
#include "distributed/temporary_file.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

/// What the process says of itself, in memory that its watcher shares.
struct Identity {
  std::array<char, 64> program{};
  std::array<char, 256> host{};
  std::atomic<int> rank = -1;  ///< set last
};
static_assert(std::atomic<int>::is_always_lock_free, "between processes");

Identity& identity() {
  static Identity& shared = *[] {
    void* const memory = mmap(nullptr, sizeof(Identity), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(memory != MAP_FAILED, "cannot share a page of memory with a child process: {}", std::strerror(errno));
    return new (memory) Identity;
  }();
  return shared;
}

template <std::size_t N>
void store(std::array<char, N>& place, std::string_view text) {
  *std::copy_n(text.begin(), std::min(text.size(), N - 1), place.begin()) = '\0';
}

/// The launcher ends the other ranks of a failed job by SIGTERM, users end jobs by the others: no news.
bool is_news(int number) {
  return number != SIGTERM && number != SIGINT && number != SIGHUP && number != SIGPIPE && number != 0;
}

void tell(pid_t process, int number, bool out_of_memory) {
  const int rank = identity().rank.load();
  std::string line = fmt::format("{}: ", identity().program.data());
  if (rank >= 0) line += fmt::format("rank {} on {} (pid {})", rank, identity().host.data(), process);
  if (rank < 0) line += fmt::format("pid {}, which had not joined its job,", process);
  line += fmt::format(" was ended by signal {} ({})", number, strsignal(number));
  if (out_of_memory) line += ": out of memory; expected a smaller problem, fewer ranks on this host, or more memory";
  line += "\n";
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;  // nobody reads it
}

void close_all_above_stderr_but(int file) {
  const auto kept = static_cast<unsigned>(std::max(file, STDERR_FILENO));
  if (kept > STDERR_FILENO + 1) close_range(STDERR_FILENO + 1, kept - 1, 0);
  close_range(kept + 1, ~0U, 0);
}

/// The child: in a session of its own, so that no signal meant for the process's group ends it. Of the process's files
/// it keeps stderr, for its last word: whoever waits for that file's end waits until the child has seen the process's.
[[noreturn]] void watch(const WatchedProcess& process, int pipe) {
  setsid();
  prctl(PR_SET_NAME, "recombine-tidy");
  dup2(pipe, STDIN_FILENO);
  close(STDOUT_FILENO);
  close_all_above_stderr_but(process.handle());
  const std::int64_t kills_before = cgroup_oom_kills();
  char none = 0;
  while (read(STDIN_FILENO, &none, 1) < 0 && errno == EINTR) {
  }
  const int number = process.signal_of_end().value_or(0);
  TemporaryFile::remove_all_of_ended_process();
  if (is_news(number)) tell(process.id(), number, number == SIGKILL && cgroup_oom_kills() > kills_before);
  _exit(0);
}

}  // namespace

void start_rank_watcher(std::string_view program) {
  TemporaryFile::share_with_children();
  store(identity().program, program);
  std::array<int, 2> pipe{};
  require(pipe2(pipe.data(), O_CLOEXEC) == 0, "cannot open a pipe to a child process: {}", std::strerror(errno));
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  const WatchedProcess self(getpid());  // before the fork: it may end at any time after it
  const pid_t child = fork();
  if (child == 0) {
    close(pipe[1]);
    watch(self, pipe[0]);
  }
  const int error = errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  close(pipe[0]);  // the other end stays open as long as this process is there
  errno = error;
  require(child > 0, "cannot start a child process: {}", std::strerror(errno));
}

void introduce_to_watcher(int rank, const std::string& host) {
  store(identity().host, host);
  identity().rank = rank;
}

}  // namespace recombine
