#pragma once

namespace recombine {

/// A named time range of this thread, for GPU profilers (NVTX). Does nothing in a build without CUDA.
/// Ranges nest: the last one to begin ends first.
class TraceRange {
 public:
  explicit TraceRange(const char* name);
  ~TraceRange();
  TraceRange(const TraceRange&) = delete;
  TraceRange& operator=(const TraceRange&) = delete;
};

}  // namespace recombine
