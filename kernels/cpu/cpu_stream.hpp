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
  enum class State {
    finished,
    waiting,  ///< it can do nothing until others have done something: only now may a thread sleep
    ready,    ///< it can go on at once
  };
  static State finished_or_waiting(bool finished) { return finished ? State::finished : State::waiting; }

  /// Does what can be done now, or a part of it if that is long. Never blocks. The first call starts the operation;
  /// after State::finished, or an exception, it is not called again.
  virtual State advance() = 0;
  /// What the submitting thread does at once: microseconds of work at most. May be called again, also after advance().
  virtual State begin() { return State::ready; }

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
