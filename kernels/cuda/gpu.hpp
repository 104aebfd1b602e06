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

enum class Priority { low, middle, high };

/// The state that the streams, events and memory of one GPU share.
class Gpu {
 public:
  /// Also selects this GPU for the calling thread.
  explicit Gpu(int number);

  int number() const { return number_; }
  /// Selects this GPU for the calling thread. Every thread begins with GPU 0, also the progress thread.
  void use() const;
  Watch& watch() { return watch_; }

  /// The stream is not ordered with the null stream. If it uses the device's memory, the caller must add_stream() it.
  StreamHandle make_stream(Priority priority) const;
  /// The streams that use the device's memory: memory is released after the work that is enqueued on them.
  void add_stream(cudaStream_t stream);
  void remove_stream(cudaStream_t stream);
  std::vector<cudaStream_t> streams();

  /// Events without timing, from a pool. Any thread may take an event and give it back.
  EventHandle take_event();
  void give_back(EventHandle event) noexcept;

  /// Blocks the host until `ready` returns true and all checks of the watch pass. Also runs the checks while it waits.
  /// @throws the Error of `ready` or of a check
  void wait_until(const std::function<bool()>& ready);
  void wait_for(cudaStream_t stream);
  void wait_for_streams();  ///< for all of streams()

 private:
  int number_;
  Watch watch_;
  std::mutex mutex_;
  std::vector<EventHandle> events_;
  std::vector<cudaStream_t> streams_;
};

}  // namespace recombine::cuda
