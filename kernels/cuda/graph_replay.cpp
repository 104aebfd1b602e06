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
  if (!executable_.get()) executable_ = capture_graph(stream, enqueue_);
  check(cudaGraphLaunch(executable_.get(), stream), "cudaGraphLaunch");
}

}  // namespace recombine::cuda
