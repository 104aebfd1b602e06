#include "distributed/session.hpp"

#include <array>
#include <cstdlib>
#include <utility>

#include <mpi.h>
#include <unistd.h>

#include "distributed/host/cgroup.hpp"
#include "distributed/mpi/host/doorbells.hpp"
#include "distributed/mpi/mpi_calls.hpp"
#include "distributed/mpi/mpi_communicator.hpp"
#include "kernels/error.hpp"

namespace recombine {

using mpi::check;

Session::Session(int& argc, char**& argv) {
  // While Open MPI waits, it then calls sched_yield. This project replaces sched_yield: it leaves the core to others.
  setenv("OMPI_MCA_mpi_yield_when_idle", "1", 1);
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
  const std::vector<CgroupLimit> limits = cgroup_limits();
  const HostRank own = this_host_rank(limits);
  std::vector<HostRank> ranks(static_cast<std::size_t>(local_size_));
  check(MPI_Allgather(&own, sizeof own, MPI_BYTE, ranks.data(), sizeof own, MPI_BYTE, host_ranks), "MPI_Allgather");
  host_share_.emplace(std::move(ranks), static_cast<std::size_t>(local_rank_), limits);
  doorbells_ = std::make_unique<mpi::HostDoorbells>(host_ranks);
  check(MPI_Comm_free(&host_ranks), "MPI_Comm_free");

  std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
  int length = 0;
  check(MPI_Get_processor_name(name.data(), &length), "MPI_Get_processor_name");
  host_.assign(name.data(), static_cast<std::size_t>(length));
}

Session::~Session() {
  doorbells_.reset();
  MPI_Finalize();
}

std::string Session::place() {  // used in error messages, so it does not check its MPI calls
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

double memory_share(const Session& session) {
  const double host = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  double share = session.host_share().memory(host);
  check(MPI_Allreduce(MPI_IN_PLACE, &share, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD), "MPI_Allreduce");
  return share;
}

std::vector<int> cores_for(const Session& session, int threads, Bind bind) {
  const bool bound_by_user = std::getenv("OMP_PROC_BIND") || std::getenv("GOMP_CPU_AFFINITY");
  return session.host_share().cores_for(threads, bind == Bind::automatic && bound_by_user ? Bind::none : bind);
}

}  // namespace recombine
