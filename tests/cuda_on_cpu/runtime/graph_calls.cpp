// The runtime's calls about stream capture and graphs.
#include <utility>

#include "tests/cuda_on_cpu/runtime/capture.hpp"
#include "tests/cuda_on_cpu/runtime/device.hpp"
#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

using namespace emulated;

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  refuse_in_host_function("cudaStreamBeginCapture");
  return remember(begin_capture(own_stream(stream), mode));
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  refuse_in_host_function("cudaStreamEndCapture");
  *graph = nullptr;
  std::shared_ptr<const Graph> captured;
  const cudaError_t error = end_capture(own_stream(stream), captured);
  const Hidden hidden;
  if (captured) *graph = new CUgraph_st{std::move(captured)};
  return remember(error);
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  refuse_in_host_function("cudaStreamIsCapturing");
  *status = capture_status(own_stream(stream));
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, thread_capture_mode());
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  if (!graph || !count) return remember(cudaErrorInvalidValue);
  if (nodes) fail("cudaGraphGetNodes: only the number of nodes is emulated");
  *count = graph->graph->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags) {
  if (!executable || !graph) return remember(cudaErrorInvalidValue);
  if (flags != 0) fail("cudaGraphInstantiate: flags are not emulated");
  if (const cudaError_t error = refuse_unsafe("cudaGraphInstantiate")) return remember(error);
  const Hidden hidden;
  *executable = new CUgraphExec_st{std::make_shared<Executable>(graph->graph)};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  refuse_in_host_function("cudaGraphLaunch");
  if (!executable) return remember(cudaErrorInvalidValue);
  if (capture_status(own_stream(stream)) != cudaStreamCaptureStatusNone)
    fail("cudaGraphLaunch on a capturing stream: a graph in a graph is not emulated");
  executable->executable->launch(own_stream(stream));
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  if (!graph) return remember(cudaErrorInvalidValue);
  const Hidden hidden;
  delete graph;
  return cudaSuccess;
}

/// A launch that is still running keeps the data that it needs.
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  if (!executable) return remember(cudaErrorInvalidValue);
  const Hidden hidden;
  delete executable;
  return cudaSuccess;
}
}
