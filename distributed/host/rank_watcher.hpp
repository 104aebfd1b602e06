#pragma once

#include <string>
#include <string_view>

#include "distributed/host/watched_links.hpp"

namespace recombine {

/// Starts this process's watcher: a small child process, `recombine-tidy`. It waits until this process ends, even by
/// SIGKILL. Then the watcher removes unfinished files (temporary_file.hpp). If a signal ended the process, it prints
/// one line on stderr: rank, host, process id, signal, and whether memory ran out. A program calls this before MPI_Init
/// and before its first thread starts. @throws Error if no child process can be started
void start_rank_watcher(std::string_view program);

/// Gives the watcher the rank and the host for that line. Called after MPI_Init.
void introduce_to_watcher(int rank, const std::string& host);

/// Passes a copy of a connection to the watcher of another host (host_links.hpp). No effect without a watcher.
void pass_link_to_watcher(int connection, const HostLink& link);

}  // namespace recombine
