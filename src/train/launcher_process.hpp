#pragma once

#include <optional>

#include <sys/types.h>

namespace recombine {

/// The process of Open MPI that started this one: mpirun on its own host, its daemon (orted) on others. A script may
/// run between the two. None without mpirun, such as under srun.
std::optional<pid_t> launcher_process();

}  // namespace recombine
