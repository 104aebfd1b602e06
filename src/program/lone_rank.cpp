#include "src/program/lone_rank.hpp"

#include <array>
#include <cstdlib>
#include <string_view>

#include <fmt/core.h>

namespace recombine {

namespace {

/// A launcher, and its variables: the number of processes that it started, and the number of this process.
struct Launcher {
  const char* name;
  const char* size;
  const char* rank;
  std::string_view remedy;
};

constexpr std::array<Launcher, 3> kLaunchers = {{
    {"srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID",
     "srun --mpi=pmix (srun --mpi=list shows what is built in), or mpirun"},
    {"flux run", "FLUX_JOB_SIZE", "FLUX_TASK_RANK", "flux run -o mpi=openmpi, or mpirun"},
    {"an mpiexec", "PMI_SIZE", "PMI_RANK", "the mpirun of the Open MPI that the program was built with"},
}};

}  // namespace

std::optional<LoneRank> find_lone_rank(int ranks, const Environment& environment) {
  if (ranks > 1 || environment("OMPI_COMM_WORLD_SIZE") != nullptr) return std::nullopt;  // Open MPI's mpirun
  for (const Launcher& launcher : kLaunchers) {
    const char* size = environment(launcher.size);
    if (size == nullptr || std::atoi(size) < 2) continue;
    const char* rank = environment(launcher.rank);
    return LoneRank{
        .message = fmt::format("{} started {} processes ({}), but MPI connects none of them, so each is rank 0 "
                               "of 1; expected a launch by {}",
                               launcher.name, size, launcher.size, launcher.remedy),
        .prints = rank == nullptr || std::atoi(rank) == 0};
  }
  return std::nullopt;
}

}  // namespace recombine
