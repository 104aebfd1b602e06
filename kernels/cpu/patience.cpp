#include "kernels/cpu/patience.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kernels/file_descriptor.hpp"

namespace recombine::cpu {

namespace {

constexpr std::chrono::microseconds kSpin{100};   // the time to sleep and wake on a virtual machine
constexpr std::chrono::milliseconds kWindow{20};  // shortest time between two checks for rivals
constexpr std::int64_t kRivalsPart = 10;          // rivals take more than 1/10 of the time
constexpr int kPausesPerLook = 16;                // reading the clock takes as long as two pauses
constexpr std::chrono::nanoseconds kShortestNap{10'000};
constexpr std::chrono::nanoseconds kLongestNap{200'000};

/// The total time that this thread was ready to run while other threads had its core (proc(5), /proc/pid/schedstat).
/// 0 if Linux does not report it.
std::chrono::nanoseconds time_not_run() {
  thread_local const FileDescriptor file(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text{};
  if (pread(file.get(), text.data(), text.size() - 1, 0) <= 0) return {};
  long long ran = 0;
  long long waited = 0;
  return std::chrono::nanoseconds(std::sscanf(text.data(), "%lld %lld", &ran, &waited) == 2 ? waited : 0);
}

/// True if other threads want this core: since the previous check, they had it for more than 1/10 of the time while
/// this thread was ready to run. Threads of the system take less than that.
bool has_rival(std::chrono::steady_clock::time_point now) {
  struct Seen {
    std::chrono::steady_clock::time_point at{};
    std::chrono::nanoseconds not_run{};
    bool rival = false;
  };
  thread_local Seen seen;
  const std::chrono::nanoseconds time = now - seen.at;
  if (time < kWindow) return seen.rival;
  const std::chrono::nanoseconds not_run = time_not_run();
  return (seen = {now, not_run, (not_run - seen.not_run) * kRivalsPart > time}).rival;
}

}  // namespace

bool Patience::pause() {
  if (pauses_ % kPausesPerLook == 0) {
    const Clock::time_point now = Clock::now();
    if (pauses_ == 0) begun_ = now;
    const auto spun = now - begun_;
    if (spun > longest_spin_ || (spun > kSpin && has_rival(now))) return false;
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
