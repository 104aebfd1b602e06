#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>

#include <cuda_runtime_api.h>

#include "kernels/cuda/gpu.hpp"
#include "kernels/stream.hpp"

namespace recombine::cuda {

/// The exception of host work for which a stream waited. After it the data of this stream are wrong, and the data of
/// every stream that waits for it. So all streams of a GPU share one StreamFailure.
class StreamFailure {
 public:
  void set(std::exception_ptr failure);
  /// @throws what was set
  void rethrow();

 private:
  std::mutex mutex_;
  std::exception_ptr failure_;
};

/// Lets a GPU's streams wait for events of the host's streams, by host functions that block.
/// CUDA may run the host functions of all streams on one thread. If that waited for one collective, and another rank's
/// thread for another, neither would end. So only one stream at a time has such waits outstanding: on every rank they
/// then end in the order of the program.
class HostWaits {
 public:
  explicit HostWaits(Gpu& gpu) : gpu_(gpu) {}

  const std::shared_ptr<StreamFailure>& failure() const { return failure_; }

  /// What is enqueued on `stream` from here on starts after `event`. Blocks the host while another stream has a wait
  /// outstanding. @pre one thread enqueues
  void enqueue(cudaStream_t stream, const Event& event);

 private:
  struct Wait;

  Gpu& gpu_;
  std::shared_ptr<StreamFailure> failure_ = std::make_shared<StreamFailure>();
  cudaStream_t last_stream_ = nullptr;
  std::shared_ptr<std::atomic<bool>> last_ended_;
};

}  // namespace recombine::cuda
