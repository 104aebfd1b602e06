#include "distributed/host_shared.hpp"

#include <optional>

#include "distributed/mpi/mpi_calls.hpp"
#include "distributed/mpi/shared_window.hpp"

namespace recombine {

using mpi::check;

struct HostShared::Window {
  MPI_Comm host = MPI_COMM_NULL;
  std::optional<mpi::SharedWindow> memory;
  ~Window() {
    memory.reset();
    MPI_Comm_free(&host);
  }
};

HostShared::HostShared(const Session& session, std::int64_t bytes) : window_(std::make_unique<Window>()) {
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &window_->host),
        "MPI_Comm_split_type");
  size_ = bytes;
  check(MPI_Bcast(&size_, 1, MPI_INT64_T, 0, window_->host), "MPI_Bcast");
  data_ = window_->memory.emplace(window_->host, session.local_rank() == 0 ? size_ : 0).of(0).data();
}

HostShared::~HostShared() = default;

void HostShared::synchronize() {
  window_->memory->fence();
  check(MPI_Barrier(window_->host), "MPI_Barrier");
}

}  // namespace recombine
