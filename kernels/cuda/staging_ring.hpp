#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "kernels/cuda/cuda_stream.hpp"
#include "kernels/cuda/gpu_memory.hpp"

namespace recombine::cuda {

/// A ring of pinned memory. Copies from the host's ordinary memory pass through it, so the host need not wait for them.
///
///      |  ........ [ piece ][ piece ][ piece ] ........ |     a piece is free again after its copy;
///                  oldest            newest  ^ next           the host waits only if the ring is full
class StagingRing {
 public:
  explicit StagingRing(GpuMemory& memory) : memory_(memory) {}
  ~StagingRing();
  StagingRing(const StagingRing&) = delete;
  StagingRing& operator=(const StagingRing&) = delete;

  /// Enqueues a copy of `bytes` bytes from ordinary memory, which may be changed at once. @pre only one thread calls it
  void copy(CudaStream& stream, std::byte* to, const std::byte* from, std::int64_t bytes);

 private:
  /// `begin` counts bytes since the ring's first use; the piece lies at begin modulo the ring's size.
  struct Piece {
    std::int64_t begin;
    Event copied;
  };

  /// Returns the begin of a free piece of `bytes` bytes. Waits for the oldest copies if necessary.
  std::int64_t reserve(std::int64_t bytes);

  GpuMemory& memory_;
  std::byte* ring_ = nullptr;
  std::int64_t next_ = 0;
  std::deque<Piece> pieces_;  ///< oldest first
};

}  // namespace recombine::cuda
