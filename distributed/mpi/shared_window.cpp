#include "distributed/mpi/shared_window.hpp"

#include "distributed/mpi/mpi_calls.hpp"

namespace recombine::mpi {

SharedWindow::SharedWindow(MPI_Comm comm, std::int64_t bytes) {
  static constexpr const char* kAllocate =
      "cannot allocate memory that a host's ranks share; expected free space in memory and in /dev/shm or /tmp, and "
      "high enough limits (ulimit -f, -n): MPI_Win_allocate_shared";
  void* own = nullptr;
  check(MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, comm, &own, &window_), kAllocate);
  check(MPI_Win_set_errhandler(window_, MPI_ERRORS_RETURN), "MPI_Win_set_errhandler");
}

SharedWindow::~SharedWindow() { MPI_Win_free(&window_); }

std::span<std::byte> SharedWindow::of(int rank) const {
  MPI_Aint bytes = 0;
  int unit = 0;
  void* base = nullptr;
  // If a rank has no space, Open MPI gives it a window that is not shared. Only this call reports it.
  check(MPI_Win_shared_query(window_, rank, &bytes, &unit, &base), "MPI_Win_shared_query, no memory to share");
  return {static_cast<std::byte*>(base), static_cast<std::size_t>(bytes)};
}

void SharedWindow::fence() const { check(MPI_Win_fence(0, window_), "MPI_Win_fence"); }

}  // namespace recombine::mpi
