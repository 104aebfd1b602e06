#include "kernels/cuda/graph.hpp"

#include "kernels/cuda/cuda_calls.hpp"

namespace recombine::cuda {

GraphExecutable capture_graph(cudaStream_t stream, const std::function<void()>& enqueue) {
  Handle<cudaGraph_t, cudaGraphDestroy> graph;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  try {
    enqueue();
  } catch (...) {
    static_cast<void>(cudaStreamEndCapture(stream, graph.out()));
    throw;
  }
  check(cudaStreamEndCapture(stream, graph.out()), "cudaStreamEndCapture");
  GraphExecutable executable;
  check(cudaGraphInstantiate(executable.out(), graph.get(), 0), "cudaGraphInstantiate");
  return executable;
}

}  // namespace recombine::cuda
