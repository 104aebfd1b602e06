#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace recombine::cpu {

/// Where threads sleep until another thread or process rings: a futex (Linux), also in memory that processes share.
/// A ring costs one load while nobody listens. Nothing is missed by a sleeper which listens, looks once more at what it
/// waits for, and only then sleeps, if those who ring change that before, by sequentially consistent stores.
class alignas(64) Doorbell {
 public:
  /// Who listens: a ring of other processes wakes only these.
  enum class Listener : std::uint32_t {
    worker = 1,      ///< the thread of a progress engine
    host = 1 << 16,  ///< a thread that waits for a stream
  };

  /// For those who changed what sleepers wait for.
  void ring() {
    if (listening_.load() != 0) wake(listening_.load());
  }
  /// Wakes those of this process which sleep as `who`, whether they listen or not.
  void call(Listener who) { wake(static_cast<std::uint32_t>(who)); }

  std::uint32_t ticket() const { return rings_.load(); }
  void listen(Listener who) { listening_.fetch_add(static_cast<std::uint32_t>(who)); }
  void leave(Listener who) { listening_.fetch_sub(static_cast<std::uint32_t>(who)); }
  /// Until a ring or call after `ticket` was taken, or for `limit`; may return early.
  void sleep(Listener who, std::uint32_t ticket, std::optional<std::chrono::nanoseconds> limit);

 private:
  void wake(std::uint32_t listening);

  std::atomic<std::uint32_t> listening_ = 0;  ///< workers, and hosts times 2^16
  std::atomic<std::uint32_t> rings_ = 0;
};
/// Listens as long as it lives.
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
