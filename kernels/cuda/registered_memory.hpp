#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "kernels/cuda/gpu.hpp"

namespace recombine::cuda {

/// Pins host memory that was allocated elsewhere, for example memory that processes share. A GPU then accesses it
/// without an intermediate buffer.
class RegisteredMemory {
 public:
  /// @param memory  whole pages; it must outlive this object @throws Error if it cannot be pinned
  RegisteredMemory(std::shared_ptr<Gpu> gpu, std::span<std::byte> memory);
  /// Blocks the host until the GPU's streams no longer use the memory.
  ~RegisteredMemory();
  RegisteredMemory(const RegisteredMemory&) = delete;
  RegisteredMemory& operator=(const RegisteredMemory&) = delete;

 private:
  std::shared_ptr<Gpu> gpu_;
  std::byte* memory_;
};

}  // namespace recombine::cuda
