#pragma once

namespace recombine {

/// A named range of this thread's time, for profilers that watch a GPU (NVTX); nothing in a build without CUDA.
/// Ranges nest: the one that began last ends first.
class TraceRange {
 public:
  explicit TraceRange(const char* name);
  ~TraceRange();
  TraceRange(const TraceRange&) = delete;
  TraceRange& operator=(const TraceRange&) = delete;
};

}  // namespace recombine
