#include "distributed/mpi/host_groups.hpp"

#include <array>

#include "distributed/mpi/mpi_calls.hpp"

namespace recombine::mpi {

namespace {

MPI_Comm ranks_of_host(MPI_Comm comm, int rank, std::optional<int> host) {
  MPI_Comm machine = MPI_COMM_NULL;
  check(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &machine), "MPI_Comm_split_type");
  if (!host) return machine;
  MPI_Comm inside = MPI_COMM_NULL;
  check(MPI_Comm_split(machine, *host, rank, &inside), "MPI_Comm_split");
  check(MPI_Comm_free(&machine), "MPI_Comm_free");
  return inside;
}

/// Chooses the route. The hierarchy cuts data into one share per rank of a host, so all hosts need equally many ranks.
Route route_for(int size, int fewest_on_a_host, int most_on_a_host) {
  if (size == 1) return Route::alone;
  if (fewest_on_a_host == size) return Route::one_host;
  return fewest_on_a_host == most_on_a_host && most_on_a_host > 1 ? Route::hierarchical : Route::plain;
}

}  // namespace

HostGroups::HostGroups(MPI_Comm comm, std::optional<int> host) {
  int rank = 0;
  int size = 0;
  check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  inside_ = ranks_of_host(comm, rank, host);
  int place = 0;
  int here = 0;
  check(MPI_Comm_rank(inside_, &place), "MPI_Comm_rank");
  check(MPI_Comm_size(inside_, &here), "MPI_Comm_size");
  std::array<int, 2> most = {here, -here};
  check(MPI_Allreduce(MPI_IN_PLACE, most.data(), 2, MPI_INT, MPI_MAX, comm), "MPI_Allreduce");
  route_ = route_for(size, -most[1], most[0]);
  if (route_ != Route::hierarchical) return;
  // Hosts are in the order of their first ranks, the same in every `between` communicator.
  int first = rank;
  check(MPI_Bcast(&first, 1, MPI_INT, 0, inside_), "MPI_Bcast");
  check(MPI_Comm_split(comm, place, first, &between_), "MPI_Comm_split");
}

HostGroups::~HostGroups() {
  if (between_ != MPI_COMM_NULL) MPI_Comm_free(&between_);
  MPI_Comm_free(&inside_);
}

}  // namespace recombine::mpi
