#pragma once

#include <functional>
#include <memory>

#include "kernels/cpu/doorbell.hpp"
#include "kernels/stream.hpp"

namespace recombine::cpu {

/// One operation on a stream, moved on by polling: a collective, a message, a sum.
class Task {
 public:
  virtual ~Task() = default;
  /// Does what can be done now, never blocks. True once the operation is finished.
  /// The first call starts it; after true (or an exception) it is not called again.
  virtual bool advance() = 0;

  enum class Begun {
    finished,
    waiting,  ///< others have to do something first
    ready,    ///< it can go on, and may take long
  };
  /// What the submitting thread does at once: microseconds of work at most. May be called again, also after advance().
  virtual Begun begin() { return Begun::ready; }

  /// Rung whenever others have done something for this task; null: it has to be polled. Outlives every stream.
  virtual Doorbell* doorbell() const { return nullptr; }
};

/// A stream that takes host operations.
class CpuStream : public Stream {
 public:
  /// Enqueues `task`; tasks of one stream run in order, one at a time.
  virtual void submit(std::unique_ptr<Task> task) = 0;
};

/// The CpuStream behind a Stream of a CPU device. @throws Error for another device's
CpuStream& as_cpu_stream(Stream& stream);

/// Enqueues one call of `work`.
void submit_call(CpuStream& stream, std::function<void()> work);

/// Runs everything at once in the calling thread; submit() polls until the task is finished.
std::unique_ptr<CpuStream> make_inline_stream();

}  // namespace recombine::cpu
