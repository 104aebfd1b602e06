#pragma once

#include <chrono>

namespace recombine::cpu {

/// How a thread waits for what it polls. It pauses for as long as sleeping and waking would take, and sleeps
/// afterwards: so no wait costs more than twice the least that it could (Karlin, Li, Manasse, Owicki, "Empirical
/// Studies of Competitive Spinning", SOSP 1991). On a core that it has for itself it pauses for a millisecond. It never
/// yields: next to a busy process, sched_yield gives that process a whole time slice (Linux 6.18: a loop of sched_yield
/// gets 0.3% of the core), while a thread that slept goes first when it wakes.
class Patience {
 public:
  /// `longest_spin`: on a core that nobody else wants.
  explicit Patience(std::chrono::microseconds longest_spin = std::chrono::microseconds(1000))
      : longest_spin_(longest_spin) {}

  /// Pauses for a moment between two polls; false once it is better to sleep.
  bool pause();
  /// How long to sleep where nobody can wake this thread: an eighth of the time waited, so that the wait gets at most
  /// so much longer; 10 to 200 us.
  std::chrono::nanoseconds nap_time() const;
  /// Sleeps for nap_time().
  void nap() const;
  /// Either of the two.
  void wait() {
    if (!pause()) nap();
  }
  /// What it waits for has moved on.
  void start_again() { pauses_ = 0; }

 private:
  using Clock = std::chrono::steady_clock;
  std::chrono::microseconds longest_spin_;
  int pauses_ = 0;
  Clock::time_point begun_{};
};

/// Lets this thread's short sleeps end in time: by default the system adds 50 us to each.
void sleep_precisely();

}  // namespace recombine::cpu
