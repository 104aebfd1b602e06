#pragma once

#include <functional>
#include <optional>
#include <string>

namespace recombine {

/// Why this process should not run alone. Some launchers start processes that MPI does not connect, for example
/// `srun --mpi=none`, or the mpiexec of another MPI. Then each process is rank 0 of 1. Each would do all the work, and
/// write the same files.
struct LoneRank {
  std::string message;  ///< one line: the launcher, the variable that shows it, and what to do
  bool prints;          ///< true for the first process of the launch: one line is enough for all
};

using Environment = std::function<const char*(const char* name)>;  ///< like std::getenv

/// Returns a value if the launcher has started more processes than the `ranks` that MPI connects, and `ranks` is 1.
std::optional<LoneRank> find_lone_rank(int ranks, const Environment& environment);

}  // namespace recombine
