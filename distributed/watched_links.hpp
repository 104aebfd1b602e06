#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/types.h>

namespace recombine {

/// A connection to another host's watcher, as a rank tells its own watcher of it; plain bytes.
struct HostLink {
  std::array<char, 2048> what{};        ///< the other host and its ranks, for the line that tells its loss; empty: none
  std::array<pid_t, 512> dependents{};  ///< processes of this host that end with it; 0: none
};

/// A watcher's connections (host_links.hpp). One that the kernel closes because the peer answers no more is a lost
/// host: `say` is told at once. The launcher has some seconds to end the job; if it does not, since Open MPI does not
/// notice a loss while it has data under way, and if the host still does not answer, the dependents get SIGTERM.
class WatchedLinks {
 public:
  explicit WatchedLinks(std::function<void(const std::string&)> say) : say_(std::move(say)) {}

  void add(int connection, const HostLink& link);
  /// Adds what to poll for. @return the longest time to wait, in ms; -1: no limit
  int prepare(std::vector<pollfd>& files) const;
  /// After each poll.
  void handle_events();

 private:
  using Clock = std::chrono::steady_clock;
  struct Watched {
    int connection = -1;  ///< -1: closed
    HostLink link;
    sockaddr_in place{};  ///< the peer's
    bool lost = false;
    Clock::time_point deadline{};  ///< of a lost one's dependents
  };
  void check_connection(Watched& watched) const;

  std::function<void(const std::string&)> say_;
  std::vector<Watched> links_;
};

}  // namespace recombine
