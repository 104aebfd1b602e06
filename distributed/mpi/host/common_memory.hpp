#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <mpi.h>

#include "distributed/host/mapped_file.hpp"
#include "kernels/matrix.hpp"

namespace recombine::mpi {

/// A piece of memory per rank of a host, all of the same size. Every rank of the host can read and write all pieces.
/// Not an MPI window, for two reasons: MPI keeps windows in /dev/shm, which is small in containers; and a window is
/// freed collectively, this memory by one rank alone.
class CommonMemory {
 public:
  /// Blocks; every rank of `comm` calls it with the same `bytes`. The memory is zero. Returns null on every rank if the
  /// system does not let these processes open each other's memory.
  static std::shared_ptr<CommonMemory> make(MPI_Comm comm, std::int64_t bytes);
  CommonMemory(const CommonMemory&) = delete;
  CommonMemory& operator=(const CommonMemory&) = delete;

  /// The piece of `rank`. It begins at a page boundary.
  std::byte* of(std::size_t rank) const { return pieces_[rank].data(); }
  std::byte* own() const { return pieces_[rank_].data(); }
  /// Bytes from the beginning of this rank's piece to `data`. None if `data` is not in the piece.
  std::optional<std::int64_t> offset_of(ConstVectorView data) const;

 private:
  CommonMemory(std::size_t rank, std::size_t bytes) : rank_(rank), bytes_(bytes) {}

  std::size_t rank_;
  std::size_t bytes_;
  std::vector<MappedFile> pieces_;  ///< one per rank
};

}  // namespace recombine::mpi
