#pragma once

#include <memory>

#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::cpu {

class ProgressWorker;

/// Moves on the first task of each of its streams, so that communication overlaps with arithmetic and a short task on
/// one stream does not queue behind a long one on another. The thread that submits a task begins it; what is left is
/// moved on by a thread of the engine while the host computes, and by the host itself while it waits for a stream. Who
/// cannot go on sleeps until another rank rings a doorbell; where tasks have none (MPI), between polls. Tasks run in
/// one thread at a time.
class ProgressEngine {
 public:
  ProgressEngine();
  ~ProgressEngine();  ///< @pre its streams are gone
  ProgressEngine(const ProgressEngine&) = delete;
  ProgressEngine& operator=(const ProgressEngine&) = delete;

  std::unique_ptr<CpuStream> make_stream();

 private:
  std::shared_ptr<ProgressWorker> worker_;
};

}  // namespace recombine::cpu
