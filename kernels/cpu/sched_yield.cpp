#include <cstdint>

#include <sched.h>

#include "kernels/cpu/patience.hpp"

// OpenBLAS's threads wait for each other, and Open MPI for messages, in loops of sched_yield. Next to a busy process
// each round of such a loop costs a time slice of milliseconds. So this definition takes the place of libc's, for them
// too: who calls it again and again pauses first and then sleeps.

namespace {

/// Calls of one thread that follow each other closely are one wait.
struct Wait {
  recombine::cpu::Patience patience{std::chrono::microseconds(30)};
  std::uint64_t last = 0;  ///< when the last call returned
  int calls = 0;
};

constexpr std::uint64_t kApart = 5000;  // cycles, some two microseconds
constexpr int kQuickCalls = 64;         // without a look at the clock: most waits end in a microsecond

}  // namespace

extern "C" int sched_yield() noexcept {
  thread_local Wait wait;
  if (__builtin_ia32_rdtsc() - wait.last > kApart) {
    wait.calls = 0;
    wait.patience.start_again();
  }
  if (wait.calls < kQuickCalls) {
    ++wait.calls;
    __builtin_ia32_pause();
  } else {
    wait.patience.wait();
  }
  wait.last = __builtin_ia32_rdtsc();
  return 0;
}
