#include "distributed/host_file.hpp"

#include "distributed/host/file_location.hpp"
#include "distributed/mpi/host_ranks.hpp"

namespace recombine {

FileDescriptor open_host_file(const Session& session, const FileDescriptor& file) {
  const mpi::HostRanks host;
  FileLocation at = session.local_rank() == 0 ? location_of(file) : FileLocation();
  mpi::check(MPI_Bcast(&at, sizeof at, MPI_BYTE, 0, host.comm()), "MPI_Bcast");
  FileDescriptor opened = open_file_at(at);
  return host.all(opened.is_open()) ? std::move(opened) : FileDescriptor();
}

}  // namespace recombine
