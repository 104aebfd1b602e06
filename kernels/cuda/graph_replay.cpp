#include "kernels/cuda/graph_replay.hpp"

#include <utility>

#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/cuda/cuda_stream.hpp"

namespace recombine::cuda {

GraphReplay::GraphReplay(Stream& stream, std::function<void()> enqueue)
    : stream_(stream), enqueue_(std::move(enqueue)) {}

void GraphReplay::run() {
  if (!std::exchange(has_run_, true)) return enqueue_();
  const cudaStream_t stream = as_cuda_stream(stream_);
  if (!executable_.get()) {
    const Graph graph = capture();
    check(cudaGraphInstantiate(executable_.out(), graph.get(), 0), "cudaGraphInstantiate");
  }
  check(cudaGraphLaunch(executable_.get(), stream), "cudaGraphLaunch");
}

GraphReplay::Graph GraphReplay::capture() {
  const cudaStream_t stream = as_cuda_stream(stream_);
  Graph graph;
  // Only this thread's calls are captured: the progress thread may ask for events meanwhile.
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  try {
    enqueue_();
  } catch (...) {
    static_cast<void>(cudaStreamEndCapture(stream, graph.out()));
    throw;
  }
  check(cudaStreamEndCapture(stream, graph.out()), "cudaStreamEndCapture");
  return graph;
}

}  // namespace recombine::cuda
