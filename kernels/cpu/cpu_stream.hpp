#pragma once

#include <functional>
#include <memory>

#include "kernels/cpu/doorbell.hpp"
#include "kernels/stream.hpp"

namespace recombine::cpu {

/// One operation on a stream, such as a collective. A thread polls it with advance() until it is finished.
class Task {
 public:
  virtual ~Task() = default;
  enum class State {
    finished,
    waiting,  ///< it cannot continue before another rank or task acts; only in this state may a thread sleep
    ready,    ///< it can continue at once
  };
  static State finished_or_waiting(bool finished) { return finished ? State::finished : State::waiting; }

  /// Does the work that can be done now, or a part of it if that takes long. Never blocks. The first call starts the
  /// operation. It is not called again after State::finished or an exception.
  virtual State advance() = 0;
  /// Does the part that the submitting thread runs at once: at most microseconds of work. May be called again, also
  /// after advance().
  virtual State begin() { return State::ready; }

  /// Other ranks ring this doorbell after they have done something that this task may wait for. Null: the task must be
  /// polled. The doorbell outlives every stream.
  virtual Doorbell* doorbell() const { return nullptr; }
};

/// A stream of operations that run on the host.
class CpuStream : public Stream {
 public:
  /// Enqueues `task`; tasks of one stream run in order, one at a time.
  virtual void submit(std::unique_ptr<Task> task) = 0;
};

/// Returns `stream` as a CpuStream. @throws Error if it belongs to a device that is not a CPU
CpuStream& as_cpu_stream(Stream& stream);

/// Enqueues one call of `work`.
void submit_call(CpuStream& stream, std::function<void()> work);

/// Runs everything at once in the calling thread; submit() polls until the task is finished.
std::unique_ptr<CpuStream> make_inline_stream();

}  // namespace recombine::cpu
