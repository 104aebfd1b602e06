#pragma once

#include <map>

#include <cuda_runtime_api.h>

#include "kernels/cuda/handle.hpp"
#include "kernels/cuda/launch.hpp"

namespace recombine::cuda {

/// One Workspace for each stream.
class Workspaces {
 public:
  /// The stream's Workspace. The first call for a stream enqueues the allocation on it, so that call must not be
  /// captured.
  Workspace of(cudaStream_t stream);

 private:
  using Memory = Handle<void*, cudaFree>;

  std::map<cudaStream_t, Memory> memory_;
};

}  // namespace recombine::cuda
