#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/cuda/gpu.hpp"

namespace recombine::cuda {

/// Memory of a GPU from its stream-ordered pool, 256-byte aligned, and pinned memory of the host.
/// What is allocated can be used on any stream: the host waits until the pool has it. What is deallocated returns to
/// the pool after all work that the GPU's streams have by then, by events, so that the host goes on.
class GpuMemory {
 public:
  explicit GpuMemory(std::shared_ptr<Gpu> gpu);

  /// @throws Error when there is not enough
  std::byte* allocate(std::int64_t bytes);
  void deallocate(std::byte* memory) noexcept;

  std::byte* allocate_pinned(std::int64_t bytes);
  /// Blocks the host until the GPU's streams are done with it.
  void deallocate_pinned(std::byte* memory) noexcept;

 private:
  std::shared_ptr<Gpu> gpu_;
  StreamHandle allocations_;
  StreamHandle releases_;  ///< of its own, so that no allocation waits for the streams that a release waits for
};

}  // namespace recombine::cuda
