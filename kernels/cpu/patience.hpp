#pragma once

#include <chrono>

namespace recombine::cpu {

/// How a thread waits for something that it polls. First it pauses between polls, for as long as sleeping and waking
/// would take; then it sleeps. So a wait costs at most twice the smallest possible cost (Karlin, Li, Manasse, Owicki,
/// "Empirical Studies of Competitive Spinning", SOSP 1991). If no other thread wants the core, it pauses for up to one
/// millisecond. It never yields: sched_yield next to a busy process gives that process a whole time slice (Linux 6.18:
/// a loop of sched_yield gets 0.3% of the core), but the scheduler prefers a thread that wakes from sleep.
class Patience {
 public:
  /// @param longest_spin the longest time before it sleeps; if other threads want its core, it sleeps after 100 us
  explicit Patience(std::chrono::microseconds longest_spin = std::chrono::microseconds(1000))
      : longest_spin_(longest_spin) {}

  /// Pauses for a moment between two polls. Returns false, without a pause, once it is better to sleep.
  bool pause();
  /// How long to sleep if no other thread can wake this one: 1/8 of the time waited so far, so that sleeping makes the
  /// wait at most 1/8 longer; but at least 10 us and at most 200 us.
  std::chrono::nanoseconds nap_time() const;
  /// Sleeps for nap_time().
  void nap() const;
  /// Calls pause(), and nap() if that returns false.
  void wait() {
    if (!pause()) nap();
  }
  /// Begins a new wait. Call it after progress of the polled operation.
  void start_again() { pauses_ = 0; }

 private:
  using Clock = std::chrono::steady_clock;
  std::chrono::microseconds longest_spin_;
  int pauses_ = 0;
  Clock::time_point begun_{};
};

/// Makes this thread's short sleeps end on time. By default Linux adds up to 50 us to each (timer slack).
void sleep_precisely();

}  // namespace recombine::cpu
