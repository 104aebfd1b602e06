#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include <cuda_runtime_api.h>

#include "kernels/cuda/handle.hpp"
#include "kernels/cuda/watch.hpp"

namespace recombine::cuda {

using EventHandle = Handle<cudaEvent_t, cudaEventDestroy>;
using StreamHandle = Handle<cudaStream_t, cudaStreamDestroy>;

enum class Priority { low, high };

/// What the streams, events and memory of one GPU share.
class Gpu {
 public:
  /// Makes it this thread's GPU.
  explicit Gpu(int number);

  int number() const { return number_; }
  /// Makes it the calling thread's: every thread begins with GPU 0, the progress thread too.
  void use() const;
  Watch& watch() { return watch_; }

  /// Not ordered with the null stream. The caller registers it if work on the device's memory runs there.
  StreamHandle make_stream(Priority priority) const;
  /// Streams that memory is given back behind.
  void add_stream(cudaStream_t stream);
  void remove_stream(cudaStream_t stream);
  std::vector<cudaStream_t> streams();

  /// From a pool, without timing; any thread may take and give back.
  EventHandle take_event();
  void give_back(EventHandle event) noexcept;

  /// Blocks the host until `ready` returns true and all checks of the watch pass. Also runs the checks while it waits.
  /// @throws the Error of `ready` or of a check
  void wait_until(const std::function<bool()>& ready);
  void wait_for(cudaStream_t stream);

 private:
  int number_;
  Watch watch_;
  std::mutex mutex_;
  std::vector<EventHandle> events_;
  std::vector<cudaStream_t> streams_;
};

}  // namespace recombine::cuda
