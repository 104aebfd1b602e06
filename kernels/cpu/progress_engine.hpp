#pragma once

#include <memory>

#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::cpu {

/// Moves on the first task of each of its streams, so that communication overlaps with arithmetic and a short task on
/// one stream does not queue behind a long one on another. While the host computes, a thread polls with short sleeps in
/// between, and sleeps when there is nothing to do; a host that waits for a stream polls itself, with sched_yield,
/// which saves two switches between threads. Tasks run in one thread at a time.
class ProgressEngine {
 public:
  ProgressEngine();
  ~ProgressEngine();  ///< @pre its streams are gone
  ProgressEngine(const ProgressEngine&) = delete;
  ProgressEngine& operator=(const ProgressEngine&) = delete;

  std::unique_ptr<CpuStream> make_stream();

 private:
  class Worker;
  std::shared_ptr<Worker> worker_;
};

}  // namespace recombine::cpu
