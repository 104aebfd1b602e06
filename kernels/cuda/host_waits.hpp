#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>

#include <cuda_runtime_api.h>

#include "kernels/cuda/gpu.hpp"
#include "kernels/stream.hpp"

namespace recombine::cuda {

/// Stores the exception of host work for which a stream waited. After the exception, the data of this stream are wrong,
/// and also the data of every stream that waits for it. So all streams of a GPU share one StreamFailure.
class StreamFailure {
 public:
  void set(std::exception_ptr failure);
  /// @throws the stored exception, if there is one
  void rethrow();

 private:
  std::mutex mutex_;
  std::exception_ptr failure_;
};

/// Lets a GPU's streams wait for events of host streams, by host functions that block. CUDA may run the host functions
/// of all streams on one thread. If this thread waited for one collective, and another rank's thread for another
/// collective, there would be a deadlock. So only one stream at a time has waits that have not ended. Then the waits of
/// every rank end in the order of the program.
class HostWaits {
 public:
  explicit HostWaits(Gpu& gpu) : gpu_(gpu) {}

  const std::shared_ptr<StreamFailure>& failure() const { return failure_; }

  /// Work that is enqueued on `stream` from now on starts after `event`. Blocks the host while a wait of another stream
  /// has not ended. @pre only one thread enqueues
  void enqueue(cudaStream_t stream, const Event& event);

 private:
  struct Wait;

  Gpu& gpu_;
  std::shared_ptr<StreamFailure> failure_ = std::make_shared<StreamFailure>();
  cudaStream_t last_stream_ = nullptr;
  std::shared_ptr<std::atomic<bool>> last_ended_;
};

}  // namespace recombine::cuda
