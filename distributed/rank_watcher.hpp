#pragma once

#include <string>
#include <string_view>

#include "distributed/watched_links.hpp"

namespace recombine {

/// Starts this process's watcher: a small child process, `recombine-tidy`, which sees this process end, whatever ends
/// it (SIGKILL too). It removes the files under construction (temporary_file.hpp), and if a signal ended the process,
/// says so on stderr in one line: rank, host, process id, signal, and whether memory had run out. For programs, before
/// MPI_Init and the first thread. @throws Error if there can be no child
void start_rank_watcher(std::string_view program);

/// Tells the watcher whom it watches, for that line; after MPI_Init.
void introduce_to_watcher(int rank, const std::string& host);

/// Hands the watcher a copy of a connection to another host's (host_links.hpp). No effect without a watcher.
void pass_link_to_watcher(int connection, const HostLink& link);

}  // namespace recombine
