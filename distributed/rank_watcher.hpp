#pragma once

namespace recombine {

/// Starts this process's watcher: a small child process, `recombine-tidy`, which sees this process end, whatever ends
/// it (SIGKILL too), and then removes its files under construction (temporary_file.hpp). For programs, before MPI_Init
/// and the first thread. @throws Error if there can be no child
void start_rank_watcher();

}  // namespace recombine
