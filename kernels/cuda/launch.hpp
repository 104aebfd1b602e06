#pragma once

#include <cstddef>
#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/ceil_div.hpp"
#include "kernels/types.hpp"

/// Host functions for the launchers. nvcc compiles this header, so it includes little.
namespace recombine::cuda {

/// @throws Error naming the kernel if the launch before this call failed
void check_launch(const char* kernel);

/// Throws an Error: the kernel does not exist for this type.
[[noreturn]] void refuse_type(const char* kernel, DataType type);

/// Number of multiprocessors of the current GPU.
int multiprocessor_count();

/// GPU memory in which the blocks of one launch add their parts of a sum. It belongs to one stream, so two launches
/// never use it at the same time. Workspaces makes it.
struct Workspace {
  static constexpr std::int64_t kTickets = 1024;
  static constexpr std::int64_t kPartsBytes = std::int64_t{1} << 20;

  unsigned* tickets = nullptr;  ///< kTickets; zero between launches
  std::byte* parts = nullptr;   ///< kPartsBytes, 256-byte aligned, not initialised
};

/// Where to run a kernel that sums over blocks.
struct Launch {
  cudaStream_t stream;
  Workspace workspace;
};

/// Stream-ordered memory: the constructor enqueues the allocation, and the destructor enqueues the release. Only work
/// that is enqueued between the two may use it.
class Scratch {
 public:
  Scratch(cudaStream_t stream, std::int64_t bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  cudaStream_t stream_;
  void* data_ = nullptr;
};

}  // namespace recombine::cuda
