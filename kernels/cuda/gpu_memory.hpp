#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/cuda/gpu.hpp"

namespace recombine::cuda {

/// Memory of a GPU from its stream-ordered pool, 256-byte aligned, and pinned memory of the host. Allocated memory can
/// be used on any stream at once: the host waits until the allocation is done. Deallocated memory returns to the pool
/// after all work that is enqueued on the GPU's streams so far. Events do this; the host does not wait.
class GpuMemory {
 public:
  explicit GpuMemory(std::shared_ptr<Gpu> gpu);

  /// @throws Error if there is not enough memory
  std::byte* allocate(std::int64_t bytes);
  void deallocate(std::byte* memory) noexcept;

  std::byte* allocate_pinned(std::int64_t bytes);
  /// Blocks the host until the GPU's streams no longer use the memory.
  void deallocate_pinned(std::byte* memory) noexcept;

 private:
  std::shared_ptr<Gpu> gpu_;
  StreamHandle allocations_;
  StreamHandle releases_;  ///< separate, because a release waits for all streams and an allocation must not
};

}  // namespace recombine::cuda
