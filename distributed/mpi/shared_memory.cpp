#include "distributed/shared_memory.hpp"

#include <mpi.h>

#include "distributed/mpi/mpi_calls.hpp"

namespace recombine {

using mpi::check;

struct HostShared::Window {
  MPI_Comm host = MPI_COMM_NULL;
  MPI_Win handle = MPI_WIN_NULL;
};

HostShared::HostShared(const Session& session, std::int64_t bytes) : window_(std::make_unique<Window>()) {
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &window_->host),
        "MPI_Comm_split_type");
  size_ = bytes;
  check(MPI_Bcast(&size_, 1, MPI_INT64_T, 0, window_->host), "MPI_Bcast");
  void* own = nullptr;
  check(MPI_Win_allocate_shared(session.local_rank() == 0 ? size_ : 0, 1, MPI_INFO_NULL, window_->host, &own,
                                &window_->handle),
        "MPI_Win_allocate_shared");
  MPI_Aint size = 0;
  int unit = 0;
  void* base = nullptr;
  check(MPI_Win_shared_query(window_->handle, 0, &size, &unit, &base), "MPI_Win_shared_query");
  data_ = static_cast<std::byte*>(base);
}

HostShared::~HostShared() {
  MPI_Win_free(&window_->handle);
  MPI_Comm_free(&window_->host);
}

void HostShared::synchronize() {
  check(MPI_Win_fence(0, window_->handle), "MPI_Win_fence");
  check(MPI_Barrier(window_->host), "MPI_Barrier");
}

}  // namespace recombine
