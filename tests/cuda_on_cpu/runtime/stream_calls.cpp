// The runtime's calls about streams and events.
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
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  refuse_in_host_function("cudaStreamSynchronize");
  if (const auto end = own_stream(stream).last()) end->wait();
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  refuse_in_host_function("cudaStreamQuery");
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
  auto end = stream->push([] {});
  const Hidden hidden;
  const std::lock_guard lock(event->mutex);
  event->recorded = std::move(end);
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (auto end = recorded(event)) enqueue(stream, [end = std::move(end)] { end->wait(); });
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  refuse_in_host_function("cudaEventSynchronize");
  if (const auto end = recorded(event)) end->wait();
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  refuse_in_host_function("cudaEventQuery");
  return ready(recorded(event));
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop) {
  const auto first = recorded(start);
  const auto second = recorded(stop);
  if (!start->timing || !stop->timing || !first || !second) return remember(cudaErrorInvalidResourceHandle);
  if (!first->done() || !second->done()) return cudaErrorNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(second->time() - first->time()).count();
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* argument) {
  enqueue(stream, [function, argument] {
    in_host_function() = true;
    function(argument);
    in_host_function() = false;
  });
  return cudaSuccess;
}
}
