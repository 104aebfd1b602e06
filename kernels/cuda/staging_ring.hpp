#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "kernels/cuda/cuda_stream.hpp"
#include "kernels/cuda/gpu_memory.hpp"

namespace recombine::cuda {

/// Pinned memory that copies from the host's ordinary memory pass through, so that the host goes on at once.
///
///      |  ........ [ piece ][ piece ][ piece ] ........ |     a piece is free again when its copy's event is done;
///                  oldest            newest  ^ next           the host stops only where the ring is full
class StagingRing {
 public:
  explicit StagingRing(GpuMemory& memory) : memory_(memory) {}
  ~StagingRing();
  StagingRing(const StagingRing&) = delete;
  StagingRing& operator=(const StagingRing&) = delete;

  /// Enqueues a copy of `bytes` from ordinary memory, which may be used again at once. @pre one thread
  void copy(CudaStream& stream, std::byte* to, const std::byte* from, std::int64_t bytes);

 private:
  /// `begin` counts bytes since the ring's first use; the piece lies at begin modulo the ring's size.
  struct Piece {
    std::int64_t begin;
    Event copied;
  };

  /// Where a piece of `bytes` can be written now.
  std::int64_t reserve(std::int64_t bytes);

  GpuMemory& memory_;
  std::byte* ring_ = nullptr;
  std::int64_t next_ = 0;
  std::deque<Piece> pieces_;  ///< oldest first
};

}  // namespace recombine::cuda
