// The runtime's calls about streams and events.
#include "tests/cuda_on_cpu/runtime/capture.hpp"
#include "tests/cuda_on_cpu/runtime/counts.hpp"
#include "tests/cuda_on_cpu/runtime/device.hpp"
#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"
#include "tests/cuda_on_cpu/runtime/stream.hpp"

using namespace emulated;

namespace {

CompletionPtr recorded(cudaEvent_t event) {
  const Hidden hidden;
  const std::lock_guard lock(event->mutex);
  return event->recorded;
}

/// Refuses a call that waits for or queries the end of `what`: a stream or an event.
template <class What>
cudaError_t refuse_while_capturing(What& what, const char* call) {
  refuse_in_host_function(call);
  if (const cudaError_t error = refuse_on(what, call)) return remember(error);
  return remember(refuse_unsafe(call));
}

cudaError_t ready(const CompletionPtr& end) { return !end || end->done() ? cudaSuccess : cudaErrorNotReady; }

}  // namespace

extern "C" {

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned, int) {
  *stream = new CUstream_st(current_device());
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return cudaStreamCreateWithPriority(stream, flags, 0);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  refuse_in_host_function("cudaStreamDestroy");
  if (capture_status(*stream) != cudaStreamCaptureStatusNone) fail("cudaStreamDestroy of a capturing stream");
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const auto error = refuse_while_capturing(own_stream(stream), "cudaStreamSynchronize")) return error;
  count(&CudaCounts::host_synchronisations);
  if (const auto end = own_stream(stream).last()) end->wait();
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (const auto error = refuse_while_capturing(own_stream(stream), "cudaStreamQuery")) return error;
  count(&CudaCounts::polls);
  return ready(own_stream(stream).last());
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const Hidden hidden;
  *event = new CUevent_st;
  (*event)->device = current_device();
  (*event)->timing = !(flags & cudaEventDisableTiming);
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Hidden hidden;
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (event->device != own_stream(stream).device()) return remember(cudaErrorInvalidResourceHandle);
  refuse_in_host_function("cudaEventRecord");
  if (const auto captured = capture_record(*event, *stream)) return remember(*captured);
  auto end = stream->push([] {});
  const Hidden hidden;
  const std::lock_guard lock(event->mutex);
  event->recorded = std::move(end);
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  refuse_in_host_function("cudaStreamWaitEvent");
  if (const auto captured = capture_wait(own_stream(stream), *event)) return remember(*captured);
  if (auto end = recorded(event)) stream->push([end = std::move(end)] { end->wait(); });
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (const auto error = refuse_while_capturing(*event, "cudaEventSynchronize")) return error;
  count(&CudaCounts::host_synchronisations);
  if (const auto end = recorded(event)) end->wait();
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (const auto error = refuse_while_capturing(*event, "cudaEventQuery")) return error;
  count(&CudaCounts::polls);
  return ready(recorded(event));
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop) {
  for (const cudaEvent_t event : {start, stop})
    if (const cudaError_t error = refuse_on(*event, "cudaEventElapsedTime")) return remember(error);
  const auto first = recorded(start);
  const auto second = recorded(stop);
  if (!start->timing || !stop->timing || !first || !second) return remember(cudaErrorInvalidResourceHandle);
  if (!first->done() || !second->done()) return cudaErrorNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(second->time() - first->time()).count();
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* argument) {
  refuse_in_host_function("cudaLaunchHostFunc");
  // CUDA captures it as a node. Here no step of a program may run on the host.
  if (const auto error = refuse_on(own_stream(stream), "cudaLaunchHostFunc")) return remember(error);
  stream->push([function, argument] {
    in_host_function() = true;
    function(argument);
    in_host_function() = false;
  });
  return cudaSuccess;
}
}
