#pragma once

#include <optional>

#include <mpi.h>

namespace recombine::mpi {

/// How collectives of a group move data.
enum class Route {
  alone,         ///< one rank: nothing moves
  one_host,      ///< through memory that all ranks share
  hierarchical,  ///< all_reduce: inside each host, then between hosts; other collectives: MPI
  plain,         ///< MPI
};

/// The ranks of a group, grouped by host. The ranks of a host need not be consecutive.
class HostGroups {
 public:
  /// Blocks; every rank of `comm` calls it. If `host` is given, ranks of one machine with different numbers count as
  /// ranks of different hosts; if none is given, all ranks of a machine are on one host.
  HostGroups(MPI_Comm comm, std::optional<int> host);
  ~HostGroups();
  HostGroups(const HostGroups&) = delete;
  HostGroups& operator=(const HostGroups&) = delete;

  Route route() const { return route_; }
  MPI_Comm inside() const { return inside_; }    ///< the ranks of this host, in the order of the group
  MPI_Comm between() const { return between_; }  ///< one rank per host, all with the same rank inside; if hierarchical

 private:
  Route route_ = Route::plain;
  MPI_Comm inside_ = MPI_COMM_NULL;
  MPI_Comm between_ = MPI_COMM_NULL;
};

}  // namespace recombine::mpi
