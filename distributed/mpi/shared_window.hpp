#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <mpi.h>

namespace recombine::mpi {

/// An MPI-3 shared window: a piece of memory per rank of a host. All ranks of the host can access all pieces. An MPI
/// error is an Error, not fatal.
class SharedWindow {
 public:
  /// Allocates a piece of `bytes` bytes for this rank. Blocks; every rank of `comm` calls it. @throws Error
  SharedWindow(MPI_Comm comm, std::int64_t bytes);
  ~SharedWindow();  ///< blocks; every rank of `comm` calls it
  SharedWindow(const SharedWindow&) = delete;
  SharedWindow& operator=(const SharedWindow&) = delete;

  std::span<std::byte> of(int rank) const;  ///< @throws Error if this rank could not map it
  void fence() const;                       ///< makes all writes visible to all ranks; blocks; every rank calls it

 private:
  MPI_Win window_ = MPI_WIN_NULL;
};

}  // namespace recombine::mpi
