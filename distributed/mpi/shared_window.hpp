#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <mpi.h>

namespace recombine::mpi {

/// An MPI-3 shared window: a piece of memory of each rank of a host, which all of these ranks have. Its errors are
/// returned, not fatal.
class SharedWindow {
 public:
  /// Blocks; every rank of `comm` calls it, for a piece of `bytes` of its own. @throws Error
  SharedWindow(MPI_Comm comm, std::int64_t bytes);
  ~SharedWindow();  ///< blocks likewise
  SharedWindow(const SharedWindow&) = delete;
  SharedWindow& operator=(const SharedWindow&) = delete;

  std::span<std::byte> of(int rank) const;  ///< @throws Error where this rank could not map it
  void fence() const;                       ///< makes what each wrote visible to the others; blocks likewise

 private:
  MPI_Win window_ = MPI_WIN_NULL;
};

}  // namespace recombine::mpi
