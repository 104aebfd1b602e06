#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>

#include <cuda_runtime_api.h>

#include "kernels/cpu/cpu_stream.hpp"
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

/// Lets one stream of a GPU wait for events of host streams. The GPU waits until a word of pinned memory has a value,
/// and a task of a host stream writes the value after the event:
///
///     GPU stream    | work |  wait until word >= 1 | work |  wait until word >= 2 | work |
///     host stream          | event 1 | word = 1 |         | event 2 | word = 2 |
///
/// A host function (cudaLaunchHostFunc) cannot do this: it must not call CUDA, and CUDA runs the host functions of all
/// streams on one thread, so a function that waits may block the one that it waits for.
class HostWait {
 public:
  /// @param host  runs the tasks that write the word; no other work may be on it
  HostWait(const Gpu& gpu, std::unique_ptr<cpu::CpuStream> host, std::shared_ptr<StreamFailure> failure);

  /// Work that is enqueued on `stream` from now on starts after `event`, also if the work before `event` fails: then
  /// the StreamFailure has the exception. @param stream  the same for all calls
  void enqueue(cudaStream_t stream, const Event& event);

 private:
  class Signal;
  using PinnedWord = Handle<void*, cudaFreeHost>;

  std::shared_ptr<StreamFailure> failure_;
  PinnedWord word_;  ///< std::uint32_t
  std::uint32_t waits_ = 0;
  std::unique_ptr<cpu::CpuStream> host_;  ///< declared last: it finishes all its tasks before the word is freed
};

}  // namespace recombine::cuda
