#pragma once

#include <memory>

namespace recombine {

/// A point in a stream's order of work: everything enqueued before it. Devices derive from it.
class EventState {
 public:
  virtual ~EventState() = default;
  /// Blocks the host until that work is done. @throws Error what the work threw
  virtual void synchronize() = 0;
  /// True once it is; never blocks. @throws Error what the work threw
  virtual bool done() = 0;
};

using Event = std::shared_ptr<EventState>;

/// Work in order. Enqueueing returns at once; only synchronize() blocks the host (on the CPU the compute stream
/// runs inline, so there wait() blocks too).
class Stream {
 public:
  virtual ~Stream() = default;
  virtual Event record() = 0;
  /// What is enqueued from here on starts after `event`, which may be of a stream of another kind: a GPU's stream waits
  /// for the host's, and the other way round.
  virtual void wait(const Event& event) = 0;
  virtual void synchronize() = 0;
  /// A hint: the host only enqueues more work until it waits for this stream. So no other thread has to be woken for
  /// it.
  virtual void host_will_wait() {}
};

}  // namespace recombine
