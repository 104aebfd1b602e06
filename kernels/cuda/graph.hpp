#pragma once

#include <functional>

#include <cuda_runtime_api.h>

#include "kernels/cuda/handle.hpp"

namespace recombine::cuda {

using GraphExecutable = Handle<cudaGraphExec_t, cudaGraphExecDestroy>;

/// Returns a CUDA graph of the work that `enqueue` enqueues on `stream` and on streams that wait for it. The work does
/// not run. Only calls of this thread are captured: the progress thread may query events meanwhile.
GraphExecutable capture_graph(cudaStream_t stream, const std::function<void()>& enqueue);

}  // namespace recombine::cuda
