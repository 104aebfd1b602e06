#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace recombine::cpu {

/// Threads sleep on a doorbell until another thread or process rings it. It is a futex (Linux), and also works in
/// memory that processes share. If no thread listens, a ring costs one load. No ring is missed under two conditions.
/// The sleeper listens, then checks its condition again, and only then sleeps. The other side changes the condition by
/// a sequentially consistent store, and only then rings.
class alignas(64) Doorbell {
 public:
  /// The kinds of listeners. A ring wakes only the kinds that listen.
  enum class Listener : std::uint32_t {
    worker = 1,      ///< the thread of a progress engine
    host = 1 << 16,  ///< a thread that waits for a stream
  };

  /// Wakes the threads that listen. Call it after a change of the condition that they wait for.
  void ring() {
    if (listening_.load() != 0) wake(listening_.load());
  }
  /// Wakes the threads of this process that sleep as `who`, even if they do not listen.
  void call(Listener who) { wake(static_cast<std::uint32_t>(who)); }

  std::uint32_t ticket() const { return rings_.load(); }
  void listen(Listener who) { listening_.fetch_add(static_cast<std::uint32_t>(who)); }
  void leave(Listener who) { listening_.fetch_sub(static_cast<std::uint32_t>(who)); }
  /// Sleeps until a ring or a call that comes after ticket() returned `ticket`, or for `limit`. May return early.
  void sleep(Listener who, std::uint32_t ticket, std::optional<std::chrono::nanoseconds> limit);

 private:
  void wake(std::uint32_t listening);

  std::atomic<std::uint32_t> listening_ = 0;  ///< number of workers + 2^16 * number of hosts
  std::atomic<std::uint32_t> rings_ = 0;
};
/// Listens from its construction to its destruction.
class Listening {
 public:
  Listening(Doorbell& bell, Doorbell::Listener who) : bell_(bell), who_(who) { bell_.listen(who_); }
  ~Listening() { bell_.leave(who_); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

 private:
  Doorbell& bell_;
  Doorbell::Listener who_;
};

static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(std::atomic<std::uint32_t>) == 4, "a futex");

}  // namespace recombine::cpu
