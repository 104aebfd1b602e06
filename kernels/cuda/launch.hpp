#pragma once

#include <cstddef>
#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/ceil_div.hpp"
#include "kernels/types.hpp"

/// What launchers need on the host. nvcc compiles this header, so it includes little.
namespace recombine::cuda {

/// @throws Error naming the kernel if the launch before this call failed
void check_launch(const char* kernel);

/// @throws Error: there is no such kernel for this type
[[noreturn]] void refuse_type(const char* kernel, DataType type);

/// Multiprocessors of the current GPU.
int multiprocessor_count();

/// Memory in the stream's order: allocated behind what is enqueued before, given back behind what is enqueued in its
/// scope.
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
