#pragma once

#include <memory>

namespace recombine {

/// An event: it is done once all work that was enqueued on its stream before it is done. Each device derives from it.
class EventState {
 public:
  virtual ~EventState() = default;
  /// Blocks the host until that work is done. @throws the Error of that work
  virtual void synchronize() = 0;
  /// True once that work is done; never blocks. @throws the Error of that work
  virtual bool done() = 0;
};

using Event = std::shared_ptr<EventState>;

/// Work that runs in the order in which it is enqueued. Enqueueing returns at once; only synchronize() blocks the host.
/// On the CPU, however, the compute stream runs inline, so its wait() blocks too.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual Event record() = 0;
  /// Work that is enqueued from now on starts after `event`. The event may belong to another kind of stream: a GPU's
  /// stream can wait for a host stream, and a host stream for a GPU's.
  virtual void wait(const Event& event) = 0;
  virtual void synchronize() = 0;
  /// A hint: the host will wait for this stream soon, and until then it only enqueues work. So the host can run the
  /// work itself, and no other thread must be woken.
  virtual void host_will_wait() {}
};

}  // namespace recombine
