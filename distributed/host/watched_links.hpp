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

/// The sigqueue() value of the SIGTERM that ends dependents. It tells this signal from a request to stop.
constexpr int kLostHost = 0x105;

/// Describes a connection to another host's watcher. A rank sends it to its own watcher as plain bytes.
struct HostLink {
  std::array<char, 2048> what{};        ///< the other host and its ranks, to report its loss; empty: do not report
  std::array<pid_t, 512> dependents{};  ///< processes of this host to end if the other host is lost; 0: none
};

/// A watcher's connections (host_links.hpp). If the kernel closes a connection because the peer does not answer, the
/// host is lost: `say` gets a line at once. The launcher then has some seconds to end the job. It may fail to do so:
/// Open MPI does not detect a loss while it has data in flight. If the host still does not answer, SIGTERM ends the
/// dependents.
class WatchedLinks {
 public:
  explicit WatchedLinks(std::function<void(const std::string&)> say) : say_(std::move(say)) {}

  void add(int connection, const HostLink& link);
  /// Adds the descriptors to poll. @return the longest time to wait, in ms; -1: no limit
  int prepare(std::vector<pollfd>& files) const;
  /// Handles lost connections and deadlines. Called after each poll.
  void handle_events();

 private:
  using Clock = std::chrono::steady_clock;
  struct Watched {
    int connection = -1;  ///< -1: closed
    HostLink link;
    sockaddr_in place{};  ///< the peer's
    bool lost = false;
    Clock::time_point deadline{};  ///< if lost: when its dependents end
  };
  void check_connection(Watched& watched) const;

  std::function<void(const std::string&)> say_;
  std::vector<Watched> links_;
};

}  // namespace recombine
