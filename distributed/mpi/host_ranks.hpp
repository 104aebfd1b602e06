#pragma once

#include <mpi.h>

#include "distributed/mpi/mpi_calls.hpp"

namespace recombine::mpi {

/// The communicator of the ranks of this host, in the order of their ranks. Every rank of the job makes and ends it.
class HostRanks {
 public:
  HostRanks() {
    check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &comm_), "MPI_Comm_split_type");
  }
  ~HostRanks() { MPI_Comm_free(&comm_); }
  HostRanks(const HostRanks&) = delete;
  HostRanks& operator=(const HostRanks&) = delete;

  MPI_Comm comm() const { return comm_; }

  /// True if `mine` is true on every rank of the host.
  bool all(bool mine) const {
    int value = mine ? 1 : 0;
    check(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_MIN, comm_), "MPI_Allreduce");
    return value == 1;
  }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
};

}  // namespace recombine::mpi
