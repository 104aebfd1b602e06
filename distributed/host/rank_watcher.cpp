#include "distributed/host/rank_watcher.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distributed/host/cgroup.hpp"
#include "distributed/host/process_end.hpp"
#include "distributed/host/shared_page.hpp"
#include "distributed/host/watched_links.hpp"
#include "distributed/io/temporary_file.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

/// The watched process's name and rank, in memory that the process and its watcher share.
struct Identity {
  std::array<char, 64> program{};
  std::array<char, 256> host{};
  std::atomic<int> rank = -1;  ///< set after the other fields
  int watcher = -1;            ///< the process's end of the socket to its watcher
};
static_assert(std::atomic<int>::is_always_lock_free, "two processes use it");

Identity& identity() {
  static Identity& shared = make_shared_with_children<Identity>();
  return shared;
}

template <std::size_t N>
void store(std::array<char, N>& place, std::string_view text) {
  *std::copy_n(text.begin(), std::min(text.size(), N - 1), place.begin()) = '\0';
}

/// True if the end by signal `number` should be reported. The launcher ends the other ranks of a failed job by SIGTERM,
/// and users end jobs by SIGINT, SIGHUP or SIGPIPE: these are not errors of the rank.
bool is_news(int number) {
  return number != SIGTERM && number != SIGINT && number != SIGHUP && number != SIGPIPE && number != 0;
}

void say(const std::string& what) {
  const std::string line = fmt::format("{}: {}\n", identity().program.data(), what);
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;  // stderr is closed
}

void tell_end(pid_t process, int number, bool out_of_memory) {
  const int rank = identity().rank.load();
  const std::string who = rank >= 0 ? fmt::format("rank {} on {} (pid {})", rank, identity().host.data(), process)
                                    : fmt::format("pid {}, which had not joined its job,", process);
  say(fmt::format(
      "{} was ended by signal {} ({}){}", who, number, strsignal(number),
      out_of_memory ? ": out of memory; expected a smaller problem, fewer ranks on this host, or more memory" : ""));
}

/// Receives a connection from the process and adds it to `links`. False once the process has ended.
bool receive_link(int process, WatchedLinks& links) {
  HostLink link;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec data{.iov_base = &link, .iov_len = sizeof link};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t length = 0;
  while ((length = recvmsg(process, &message, 0)) < 0 && errno == EINTR) {
  }
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (length != static_cast<ssize_t>(sizeof link) || !header) return false;
  int connection = -1;
  std::memcpy(&connection, CMSG_DATA(header), sizeof connection);
  links.add(connection, link);
  return true;
}

/// Returns once the process at the other end of the socket `process` has ended.
void watch_until_end_of(int process) {
  WatchedLinks links(say);
  for (;;) {
    std::vector<pollfd> files{{.fd = process, .events = POLLIN, .revents = 0}};
    const int longest = links.prepare(files);
    if (poll(files.data(), files.size(), longest) < 0) continue;
    links.handle_events();
    if (files.front().revents != 0 && !receive_link(process, links)) return;
  }
}

void close_all_above_stderr_but(int file) {
  const auto kept = static_cast<unsigned>(std::max(file, STDERR_FILENO));
  if (kept > STDERR_FILENO + 1) close_range(STDERR_FILENO + 1, kept - 1, 0);
  close_range(kept + 1, ~0U, 0);
}

/// The watcher's main function. It has its own session, so that a signal to the process group of the rank does not end
/// it. It keeps stderr open for its last line: a reader of stderr sees the end of file only after that line.
[[noreturn]] void watch(const WatchedProcess& process, int socket) {
  setsid();
  prctl(PR_SET_NAME, "recombine-tidy");
  dup2(socket, STDIN_FILENO);
  close(STDOUT_FILENO);
  close_all_above_stderr_but(process.handle());
  const std::int64_t kills_before = cgroup_oom_kills();
  watch_until_end_of(STDIN_FILENO);
  const int number = process.signal_of_end().value_or(0);
  TemporaryFile::remove_all_of_ended_process();
  if (is_news(number)) tell_end(process.id(), number, number == SIGKILL && cgroup_oom_kills() > kills_before);
  _exit(0);
}

}  // namespace

void start_rank_watcher(std::string_view program) {
  TemporaryFile::share_with_children();
  store(identity().program, program);
  std::array<int, 2> ends{};
  require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0,
          "cannot open a socket to a child process: {}", std::strerror(errno));
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  const WatchedProcess self(getpid());  // opened before fork(): after it, this process may end at any time
  const pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    watch(self, ends[0]);
  }
  const int error = errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  close(ends[0]);
  identity().watcher = ends[1];  // stays open until this process ends: then the watcher sees the end
  errno = error;
  require(child > 0, "cannot start a child process: {}", std::strerror(errno));
}

void introduce_to_watcher(int rank, const std::string& host) {
  store(identity().host, host);
  identity().rank = rank;
}

void pass_link_to_watcher(int connection, const HostLink& link) {
  if (identity().watcher < 0) return;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  HostLink copy = link;
  iovec data{.iov_base = &copy, .iov_len = sizeof copy};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof connection);
  std::memcpy(CMSG_DATA(header), &connection, sizeof connection);
  sendmsg(identity().watcher, &message, MSG_NOSIGNAL);
}

}  // namespace recombine
