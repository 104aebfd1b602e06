#include <cstdint>

#include <sched.h>

#include "kernels/cpu/patience.hpp"

// OpenBLAS's threads wait for each other in loops of sched_yield, and Open MPI waits for messages in such a loop. Next
// to a busy process, each iteration costs a time slice of milliseconds. So this definition replaces libc's, also in
// these libraries: a thread that calls it again and again pauses at first, and then sleeps.

namespace {

/// One wait of a thread: a series of calls with less than kApart between them.
struct Wait {
  recombine::cpu::Patience patience{std::chrono::microseconds(30)};
  std::uint64_t last = 0;  ///< when the last call returned
  int calls = 0;
};

constexpr std::uint64_t kApart = 5000;  // cycles: about two microseconds
constexpr int kQuickCalls = 64;         // pauses without reading the clock: most waits end in a microsecond

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
