#include "distributed/host/watched_links.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

namespace recombine {

namespace {

constexpr std::chrono::seconds kGrace{6};  // with launch/env Open MPI detects a lost host within 8 s, watchers within 4
constexpr int kAnswer = 1000;              // ms

/// True if the host of a lost connection answers now: a host that runs accepts or refuses a connection at once.
bool answers_again(const sockaddr_in& place) {
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (file < 0) return true;  // not known: do not end the ranks
  int error = connect(file, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd wait{.fd = file, .events = POLLOUT, .revents = 0};
    socklen_t length = sizeof error;
    if (poll(&wait, 1, kAnswer) <= 0) {
      error = ETIMEDOUT;
    } else {
      getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &length);
    }
  }
  close(file);
  return error == 0 || error == ECONNREFUSED;
}

}  // namespace

void WatchedLinks::add(int connection, const HostLink& link) {
  Watched watched{.connection = connection, .link = link};
  socklen_t length = sizeof watched.place;
  getpeername(connection, reinterpret_cast<sockaddr*>(&watched.place), &length);
  links_.push_back(watched);
}

int WatchedLinks::prepare(std::vector<pollfd>& files) const {
  int longest = -1;
  for (const Watched& watched : links_) {
    if (!watched.lost) {
      files.push_back({.fd = watched.connection, .events = POLLIN, .revents = 0});
      continue;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(watched.deadline - Clock::now()).count();
    const int wait = static_cast<int>(std::max<std::int64_t>(0, left + 1));
    longest = longest < 0 ? wait : std::min(longest, wait);
  }
  return longest;
}

void WatchedLinks::check_connection(Watched& watched) const {
  char none = 0;
  const ssize_t length = recv(watched.connection, &none, 1, MSG_DONTWAIT);
  if (length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR))) return;
  watched.lost = length < 0 && (errno == ETIMEDOUT || errno == EHOSTUNREACH || errno == ENETUNREACH);
  if (!watched.lost) {  // the other watcher closed the connection normally: its rank has ended
    close(watched.connection);
    watched.connection = -1;
    return;
  }
  watched.deadline = Clock::now() + kGrace;
  const std::string what = watched.link.what.data();
  if (!what.empty()) say_(fmt::format("{} does not answer: it has lost its network or its power", what));
}

void WatchedLinks::handle_events() {
  for (Watched& watched : links_) {
    if (!watched.lost) {
      check_connection(watched);
    } else if (Clock::now() >= watched.deadline) {
      const bool back = answers_again(watched.place);
      if (back && watched.link.what[0] != '\0') say_(fmt::format("{} answers again", watched.link.what.data()));
      for (const pid_t process : watched.link.dependents) {
        if (process > 0 && !back) sigqueue(process, SIGTERM, {.sival_int = kLostHost});
      }
      close(watched.connection);
      watched.connection = -1;
    }
  }
  std::erase_if(links_, [](const Watched& watched) { return watched.connection < 0; });
}

}  // namespace recombine
