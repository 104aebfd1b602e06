#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <mpi.h>

#include "kernels/matrix.hpp"

namespace recombine::mpi {

/// A piece of memory of each rank of a host, all of one size, which every one of these ranks can read and write.
/// It is not MPI's: /dev/shm, where that keeps windows, is small in a container, and a rank may let go of this alone.
class CommonMemory {
 public:
  /// Blocks; every rank of `comm` calls it with the same `bytes`. Zeros. Null, on every rank, where the system does not
  /// let these processes open each other's memory.
  static std::shared_ptr<CommonMemory> make(MPI_Comm comm, std::int64_t bytes);
  ~CommonMemory();
  CommonMemory(const CommonMemory&) = delete;
  CommonMemory& operator=(const CommonMemory&) = delete;

  /// The piece of `rank`, on a page.
  std::byte* of(std::size_t rank) const { return pieces_[rank]; }
  std::byte* own() const { return pieces_[rank_]; }
  /// Bytes from the beginning of the own piece to `data`; none where that lies elsewhere.
  std::optional<std::int64_t> offset_of(ConstVectorView data) const;

 private:
  CommonMemory(std::size_t rank, std::size_t ranks, std::size_t bytes) : rank_(rank), bytes_(bytes), pieces_(ranks) {}

  std::size_t rank_;
  std::size_t bytes_;
  std::vector<std::byte*> pieces_;  ///< one per rank; null where it could not be opened
};

}  // namespace recombine::mpi
