#pragma once

#include "distributed/session.hpp"

namespace recombine {

/// Connects the watchers (rank_watcher.hpp) of a job's hosts, so that one line names a host that loses its network or
/// its power, and its ranks, before the launcher ends the job:
///
///     host 0, watcher of its first rank <--- TCP with keepalive ---> the same on host 1, 2, ...
///
/// The kernel asks an idle peer every second and closes after 3 questions without an answer. Host 0's watcher speaks of
/// the others, host 1's of host 0. If the launcher has not ended the job some seconds later, each host's watcher ends
/// its host's ranks (watched_links.hpp). Without a connection (no IPv4, a firewall) there is no such line, and only the
/// launcher notices. Blocks, some seconds at most; every rank calls it, after introduce_to_watcher().
void watch_other_hosts(const Session& session);

}  // namespace recombine
