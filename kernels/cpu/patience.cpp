#include "kernels/cpu/patience.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <sys/prctl.h>
#include <sys/resource.h>

namespace recombine::cpu {

namespace {

constexpr std::chrono::microseconds kSpin{30};
constexpr std::chrono::milliseconds kLately{100};
constexpr long kOften = 3;
constexpr std::chrono::milliseconds kRemembered{300};
constexpr int kPausesPerLook = 16;  // a look at the clock takes as long as two pauses
constexpr std::chrono::nanoseconds kShortestNap{10'000};
constexpr std::chrono::nanoseconds kLongestNap{200'000};

/// Whether others want this core: one has just taken it from this thread, or has done so again and again of late. A
/// thread of the system does that now and then, a busy process every few milliseconds.
bool has_rival(std::chrono::steady_clock::time_point now) {
  struct Seen {
    long times = 0;   // in all
    long lately = 0;  // since `from`
    std::chrono::steady_clock::time_point from{}, until{};
  };
  thread_local Seen seen;
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const long taken = usage.ru_nivcsw - std::exchange(seen.times, usage.ru_nivcsw);
  if (now - seen.from > kLately) {
    seen.from = now;
    seen.lately = 0;
  }
  seen.lately += taken;
  if (seen.lately >= kOften) seen.until = now + kRemembered;
  return taken > 0 || now < seen.until;
}

}  // namespace

bool Patience::pause() {
  if (pauses_ % kPausesPerLook == 0) {
    const Clock::time_point now = Clock::now();
    if (pauses_ == 0) begun_ = now;
    if (now - begun_ > kSpin && (now - begun_ > longest_spin_ || has_rival(now))) return false;
  }
  ++pauses_;
  __builtin_ia32_pause();
  return true;
}

std::chrono::nanoseconds Patience::nap_time() const {
  const std::chrono::nanoseconds waited = pauses_ == 0 ? std::chrono::nanoseconds(0) : Clock::now() - begun_;
  return std::clamp(waited / 8, kShortestNap, kLongestNap);
}

void Patience::nap() const {
  sleep_precisely();
  const timespec time{0, nap_time().count()};
  nanosleep(&time, nullptr);
}

void sleep_precisely() { prctl(PR_SET_TIMERSLACK, 1UL); }

}  // namespace recombine::cpu
