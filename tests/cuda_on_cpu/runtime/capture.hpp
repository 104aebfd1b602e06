#pragma once

#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "tests/cuda_on_cpu/runtime/graph.hpp"

namespace emulated {

/// A capture in progress, with the graph that it has recorded so far.
struct Capture {
  /// The place of a stream in the graph.
  struct Branch {
    std::size_t lane;
    std::vector<std::size_t> ends;  ///< the nodes that come directly before the stream's next work
  };

  cudaStreamCaptureMode mode;
  std::thread::id thread;
  CUstream_st* origin;
  bool valid = true;
  bool open = true;  ///< until cudaStreamEndCapture
  Graph graph;
  std::map<CUstream_st*, Branch> branches;
};

/// The place in a capture at which an event was recorded.
struct CapturedPoint {
  std::shared_ptr<Capture> capture;
  std::vector<std::size_t> ends;
};

cudaError_t begin_capture(CUstream_st& stream, cudaStreamCaptureMode mode);
/// `graph` becomes null if the capture was invalid.
cudaError_t end_capture(CUstream_st& stream, std::shared_ptr<const Graph>& graph);
cudaStreamCaptureStatus capture_status(CUstream_st& stream);

/// The next three return nothing, and do nothing, unless a capture is involved. capture_work() then does not take
/// `work`.
std::optional<cudaError_t> capture_work(CUstream_st& stream, Launchable& work);
std::optional<cudaError_t> capture_record(CUevent_st& event, CUstream_st& stream);
std::optional<cudaError_t> capture_wait(CUstream_st& stream, CUevent_st& event);

/// Refuses `call` on a capturing stream. A refusal makes the capture invalid, and a line on stderr gives the reason.
cudaError_t refuse_on(CUstream_st& stream, const char* call);
/// Refuses `call` on an event that was recorded while capturing.
cudaError_t refuse_on(CUevent_st& event, const char* call);
/// Refuses `call` while any stream of the current device captures.
cudaError_t refuse_on_device(const char* call);
/// Refuses a call that is not in stream order, by the rules of cudaThreadExchangeStreamCaptureMode.
cudaError_t refuse_unsafe(const char* call);

/// The calling thread's mode.
cudaStreamCaptureMode& thread_capture_mode();

}  // namespace emulated
