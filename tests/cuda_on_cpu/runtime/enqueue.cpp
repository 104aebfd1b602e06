// How work gets into a stream, or into a graph if the stream captures.
#include <memory>
#include <utility>

#include "tests/cuda_on_cpu/runtime/capture.hpp"
#include "tests/cuda_on_cpu/runtime/device.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated {

Launchable repeatable(Kind kind, Work work) {
  return {kind, [shared = std::make_shared<const Work>(std::move(work))] { return [shared] { (*shared)(); }; }};
}

cudaError_t submit(cudaStream_t stream, Launchable work) {
  refuse_in_host_function("work for a stream");
  CUstream_st& target = own_stream(stream);
  if (const auto captured = capture_work(target, work)) return remember(*captured);
  target.push(work.launch());
  return cudaSuccess;
}

cudaError_t enqueue(cudaStream_t stream, std::function<void()> work) {
  return submit(stream, repeatable(Kind::kernel, std::move(work)));
}

cudaError_t enqueue_prepared(cudaStream_t stream, std::function<std::function<void()>()> prepare) {
  return submit(stream, {Kind::kernel, std::move(prepare)});
}

bool is_captured(cudaStream_t stream) { return capture_status(own_stream(stream)) != cudaStreamCaptureStatusNone; }

}  // namespace emulated
