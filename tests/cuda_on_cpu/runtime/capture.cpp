#include "tests/cuda_on_cpu/runtime/capture.hpp"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

#include "tests/cuda_on_cpu/runtime/device.hpp"
#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated {

namespace {

using CapturePtr = std::shared_ptr<Capture>;

/// All open captures of the process. The mutex protects the captures too.
struct Captures {
  std::mutex mutex;
  std::vector<CapturePtr> open;
};

Captures& captures() {
  static auto* captures = new Captures;
  return *captures;
}

/// Locks the captures for one call. The thread sanitizer does not see the lock.
class Locked {
 public:
  Locked() : lock_(captures().mutex) {}

  /// The open capture that `stream` belongs to, or null.
  CapturePtr of(CUstream_st& stream) const {
    for (const auto& capture : captures().open)
      if (capture->branches.contains(&stream)) return capture;
    return nullptr;
  }

 private:
  const Hidden hidden_;
  const std::lock_guard<std::mutex> lock_;
};

cudaError_t invalidate(Capture& capture, cudaError_t error, const std::string& reason) {
  if (capture.valid) std::fprintf(stderr, "cuda_on_cpu: %s: the capture is invalid now\n", reason.c_str());
  capture.valid = false;
  return error;
}

void add_new(std::vector<std::size_t>& to, const std::vector<std::size_t>& from) {
  for (const std::size_t node : from)
    if (std::ranges::find(to, node) == to.end()) to.push_back(node);
}

/// True if all work of all branches comes before the end of the origin's branch.
bool joined(const Capture& capture) {
  std::vector<bool> before(capture.graph.nodes.size(), false);
  for (const std::size_t node : capture.branches.at(capture.origin).ends) before[node] = true;
  for (std::size_t node = before.size(); node-- > 0;)
    if (before[node])
      for (const std::size_t earlier : capture.graph.nodes[node].after) before[earlier] = true;
  return std::ranges::all_of(before, [](bool is_before) { return is_before; });
}

/// True if `capture` forbids unsafe calls in the current thread.
bool prohibits_unsafe_calls(const Capture& capture) {
  if (thread_capture_mode() == cudaStreamCaptureModeRelaxed || capture.mode == cudaStreamCaptureModeRelaxed)
    return false;
  if (capture.thread == std::this_thread::get_id()) return true;
  return thread_capture_mode() == cudaStreamCaptureModeGlobal && capture.mode == cudaStreamCaptureModeGlobal;
}

}  // namespace

cudaStreamCaptureMode& thread_capture_mode() {
  static thread_local cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  return mode;
}

cudaError_t begin_capture(CUstream_st& stream, cudaStreamCaptureMode mode) {
  const Locked locked;
  if (locked.of(stream)) return cudaErrorIllegalState;
  auto capture = std::make_shared<Capture>();
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->origin = &stream;
  capture->branches[&stream] = {0, {}};
  capture->graph.devices.push_back(stream.device());
  captures().open.push_back(std::move(capture));
  return cudaSuccess;
}

cudaError_t end_capture(CUstream_st& stream, std::shared_ptr<const Graph>& graph) {
  const Locked locked;
  const auto capture = locked.of(stream);
  if (!capture) return cudaErrorIllegalState;
  if (capture->origin != &stream)
    return invalidate(*capture, cudaErrorStreamCaptureUnmatched,
                      "cudaStreamEndCapture on a stream that did not begin the capture");
  capture->open = false;
  std::erase(captures().open, capture);
  if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id())
    return invalidate(*capture, cudaErrorStreamCaptureWrongThread, "cudaStreamEndCapture in another thread");
  const bool is_joined = joined(*capture);
  auto captured = std::make_shared<const Graph>(std::exchange(capture->graph, {}));  // events outlive it
  if (!capture->valid) return cudaErrorStreamCaptureInvalidated;
  if (!is_joined) return cudaErrorStreamCaptureUnjoined;
  graph = std::move(captured);
  return cudaSuccess;
}

cudaStreamCaptureStatus capture_status(CUstream_st& stream) {
  const Locked locked;
  const auto capture = locked.of(stream);
  if (!capture) return cudaStreamCaptureStatusNone;
  return capture->valid ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusInvalidated;
}

std::optional<cudaError_t> capture_work(CUstream_st& stream, Launchable& work) {
  const Locked locked;
  const auto capture = locked.of(stream);
  if (!capture) return std::nullopt;
  if (!capture->valid) return cudaErrorStreamCaptureInvalidated;
  auto& branch = capture->branches[&stream];
  auto& nodes = capture->graph.nodes;
  nodes.push_back({std::move(work), std::exchange(branch.ends, {nodes.size()}), branch.lane});
  return cudaSuccess;
}

std::optional<cudaError_t> capture_record(CUevent_st& event, CUstream_st& stream) {
  const Locked locked;
  auto capture = locked.of(stream);
  if (capture && !capture->valid) return cudaErrorStreamCaptureInvalidated;
  const std::lock_guard lock(event.mutex);
  event.captured.reset();
  if (!capture) return std::nullopt;
  event.recorded.reset();
  auto ends = capture->branches[&stream].ends;
  event.captured = std::make_shared<CapturedPoint>(CapturedPoint{std::move(capture), std::move(ends)});
  return cudaSuccess;
}

std::optional<cudaError_t> capture_wait(CUstream_st& stream, CUevent_st& event) {
  const Locked locked;
  const auto capture = locked.of(stream);
  if (capture && !capture->valid) return cudaErrorStreamCaptureInvalidated;
  const std::lock_guard lock(event.mutex);
  const auto point = event.captured;
  if (!point && !capture) return std::nullopt;
  if (!point && !event.recorded) return cudaSuccess;  // never recorded: nothing to wait for
  if (!point)
    return invalidate(*capture, cudaErrorStreamCaptureIsolation,
                      "cudaStreamWaitEvent for an event from outside the capture");
  if (!point->capture->open) {
    if (!capture) return cudaErrorInvalidValue;  // as seen on an H200 (driver 580)
    return invalidate(*capture, cudaErrorStreamCaptureIsolation,
                      "cudaStreamWaitEvent for an event of a capture that has ended");
  }
  if (!point->capture->valid) return cudaErrorStreamCaptureInvalidated;
  if (capture && capture != point->capture) {
    invalidate(*point->capture, cudaErrorStreamCaptureMerge,
               "cudaStreamWaitEvent of another capture for an event of this one");
    return invalidate(*capture, cudaErrorStreamCaptureMerge, "cudaStreamWaitEvent for an event of another capture");
  }
  auto& [mode, thread, origin, valid, open, graph, branches] = *point->capture;
  const auto [branch, forks] = branches.try_emplace(&stream, Capture::Branch{graph.devices.size(), {}});
  if (forks) graph.devices.push_back(stream.device());
  add_new(branch->second.ends, point->ends);
  return cudaSuccess;
}

cudaError_t refuse_on(CUstream_st& stream, const char* call) {
  const Locked locked;
  const auto capture = locked.of(stream);
  if (!capture) return cudaSuccess;
  return invalidate(*capture, cudaErrorStreamCaptureUnsupported, call + std::string(" on a capturing stream"));
}

cudaError_t refuse_on(CUevent_st& event, const char* call) {
  const Locked locked;
  const std::lock_guard lock(event.mutex);
  if (!event.captured) return cudaSuccess;
  auto& capture = *event.captured->capture;
  if (!capture.open) return cudaErrorInvalidValue;  // as seen on an H200 (driver 580)
  return invalidate(capture, cudaErrorCapturedEvent, call + std::string(" of a captured event"));
}

cudaError_t refuse_on_device(const char* call) {
  const Locked locked;
  cudaError_t error = cudaSuccess;
  for (const auto& capture : captures().open)
    if (std::ranges::find(capture->graph.devices, current_device()) != capture->graph.devices.end())
      error = invalidate(*capture, cudaErrorStreamCaptureUnsupported, call + std::string(" while a stream captures"));
  return error;
}

cudaError_t refuse_unsafe(const char* call) {
  const Locked locked;
  cudaError_t error = cudaSuccess;
  for (const auto& capture : captures().open)
    if (prohibits_unsafe_calls(*capture))
      error = invalidate(*capture, cudaErrorStreamCaptureUnsupported, call + std::string(" while a stream captures"));
  return error;
}

}  // namespace emulated
