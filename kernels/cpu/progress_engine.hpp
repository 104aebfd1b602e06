#pragma once

#include <memory>

#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::cpu {

/// A thread that moves on the first task of each of its streams, so that communication overlaps with arithmetic
/// and a short task on one stream does not queue behind a long one on another. It polls with sched_yield while
/// the host waits for a stream, with short sleeps while the host computes, and sleeps when there is nothing to do.
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
