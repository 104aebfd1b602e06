#pragma once

#include <optional>

#include <mpi.h>

namespace recombine::mpi {

/// How collectives of a group move data.
enum class Route {
  alone,         ///< one rank: nothing moves
  one_host,      ///< through memory that all ranks share
  hierarchical,  ///< inside each host, then between hosts
  plain,         ///< MPI
};

/// The ranks of a group by the hosts they are on. Hosts need not be consecutive in the order of ranks.
class HostGroups {
 public:
  /// Blocks; every rank of `comm` calls it. `host`: ranks of one machine that give different numbers count as on
  /// different hosts; none: all of a machine's ranks are on one.
  HostGroups(MPI_Comm comm, std::optional<int> host);
  ~HostGroups();
  HostGroups(const HostGroups&) = delete;
  HostGroups& operator=(const HostGroups&) = delete;

  Route route() const { return route_; }
  MPI_Comm inside() const { return inside_; }    ///< the ranks of this host, in the order of the group
  MPI_Comm between() const { return between_; }  ///< one rank a host, those with the same place inside; if hierarchical

 private:
  Route route_ = Route::plain;
  MPI_Comm inside_ = MPI_COMM_NULL;
  MPI_Comm between_ = MPI_COMM_NULL;
};

}  // namespace recombine::mpi
