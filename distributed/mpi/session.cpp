#include "distributed/session.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include "distributed/mpi/mpi_calls.hpp"
#include "distributed/mpi/mpi_communicator.hpp"
#include "kernels/error.hpp"

namespace recombine {

using mpi::check;

Session::Session(int& argc, char**& argv) {
  // Serialized is enough: after start-up only the communication streams' tasks call MPI, one at a time.
  int provided = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
  progress_ = provided >= MPI_THREAD_SERIALIZED ? Progress::thread : Progress::synchronous;
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");

  MPI_Comm host_ranks = MPI_COMM_NULL;
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host_ranks),
        "MPI_Comm_split_type");
  check(MPI_Comm_rank(host_ranks, &local_rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(host_ranks, &local_size_), "MPI_Comm_size");
  check(MPI_Comm_free(&host_ranks), "MPI_Comm_free");

  std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
  int length = 0;
  check(MPI_Get_processor_name(name.data(), &length), "MPI_Get_processor_name");
  host_.assign(name.data(), static_cast<std::size_t>(length));
}

Session::~Session() { MPI_Finalize(); }

std::string Session::place() {  // for errors: nothing here is checked
  std::array<char, MPI_MAX_PROCESSOR_NAME> host{};
  int length = 0;
  int rank = -1;
  MPI_Get_processor_name(host.data(), &length);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return fmt::format("rank {} on {}", rank, host.data());
}

double Session::now() { return MPI_Wtime(); }

void Session::abort(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  _exit(code);
}

bool Session::on_every_rank(bool mine) const {
  int all = mine ? 1 : 0;
  check(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD), "MPI_Allreduce");
  return all != 0;
}

std::unique_ptr<Communicator> make_world(Session& /*session*/) {
  MPI_Comm world = MPI_COMM_NULL;
  check(MPI_Comm_dup(MPI_COMM_WORLD, &world), "MPI_Comm_dup");
  return std::make_unique<mpi::MpiCommunicator>(world);
}

CpuShare cpu_share(const Session& session) {
  CpuShare share;
  const auto online = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  share.fair = std::max(1, online / session.local_size());
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return share;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<std::size_t>(core), &mask)) share.bound.push_back(core);
  }
  return share;
}

double memory_share(const Session& session) {
  const double host = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  double share = host / session.local_size();
  check(MPI_Allreduce(MPI_IN_PLACE, &share, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD), "MPI_Allreduce");
  return share;
}

std::vector<int> cores_for(const Session& session, int threads) {
  if (std::getenv("OMP_PROC_BIND") || std::getenv("GOMP_CPU_AFFINITY")) return {};
  const std::vector<int> bound = cpu_share(session).bound;
  // A mask of all cores is shared with the other ranks; a smaller one is this rank's own.
  const bool shared = static_cast<long>(bound.size()) == sysconf(_SC_NPROCESSORS_ONLN);
  const auto first = static_cast<std::size_t>(shared ? session.local_rank() * threads : 0);
  const auto wanted = static_cast<std::size_t>(shared ? session.local_size() * threads : threads);
  if (wanted > bound.size()) return {};
  const auto begin = bound.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + threads};
}

}  // namespace recombine
