#pragma once

#include <memory>

#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::cpu {

class ProgressWorker;

/// Runs the first task of each of its streams, a part at a time. So communication overlaps with arithmetic, and a short
/// task on one stream does not wait for a long task on another. The thread that submits a task begins it if the task is
/// the first of its stream. After that, the engine's thread runs the task while the host computes, and the host runs it
/// while it waits for a stream. If no task can continue, the thread sleeps until another rank rings a doorbell; tasks
/// without a doorbell (MPI) are polled, with sleeps between the polls. Tasks run in one thread at a time.
class ProgressEngine {
 public:
  ProgressEngine();
  ~ProgressEngine();  ///< @pre its streams are destroyed
  ProgressEngine(const ProgressEngine&) = delete;
  ProgressEngine& operator=(const ProgressEngine&) = delete;

  std::unique_ptr<CpuStream> make_stream();

 private:
  std::shared_ptr<ProgressWorker> worker_;
};

}  // namespace recombine::cpu
