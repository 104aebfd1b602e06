#pragma once

#include "distributed/session.hpp"

namespace recombine {

/// Connects the watchers (rank_watcher.hpp) of a job's hosts. If a host loses its network or its power, one line then
/// names the host and its ranks before the launcher ends the job:
///
///     watcher of the first rank on host 0 <--- TCP with keepalive ---> watcher of the first rank on host 1, 2, ...
///
/// The kernel probes an idle peer every second and closes the connection after 3 probes without an answer. The watcher
/// of host 0 reports the loss of another host, the watcher of host 1 the loss of host 0. If the launcher does not end
/// the job within some seconds, the watcher of each host ends its host's ranks (watched_links.hpp). Without a
/// connection (no IPv4, a firewall) no line is printed, and only the launcher detects the loss. Blocks for a few
/// seconds at most; every rank calls it, after introduce_to_watcher().
void watch_other_hosts(const Session& session);

}  // namespace recombine
