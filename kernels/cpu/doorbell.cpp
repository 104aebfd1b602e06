#include "kernels/cpu/doorbell.hpp"

#include <climits>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace recombine::cpu {

namespace {

/// The futex's bitset has one bit per kind of listener, so a ring does not wake the other kind.
std::uint32_t bits_of(std::uint32_t listening) {
  return (listening & 0xFFFFU ? 1U : 0U) | (listening >> 16U ? 2U : 0U);
}

}  // namespace

void Doorbell::wake(std::uint32_t listening) {
  const std::uint32_t bits = bits_of(listening);
  rings_.fetch_add(1);
  if (bits != 0) syscall(SYS_futex, &rings_, FUTEX_WAKE_BITSET, INT_MAX, nullptr, nullptr, bits);
}

void Doorbell::sleep(Listener who, std::uint32_t ticket, std::optional<std::chrono::nanoseconds> limit) {
  timespec end{};
  if (limit) {  // FUTEX_WAIT_BITSET expects an absolute time
    clock_gettime(CLOCK_MONOTONIC, &end);
    const std::int64_t nanoseconds = end.tv_nsec + limit->count();
    end.tv_sec += nanoseconds / 1'000'000'000;
    end.tv_nsec = nanoseconds % 1'000'000'000;
  }
  syscall(SYS_futex, &rings_, FUTEX_WAIT_BITSET, ticket, limit ? &end : nullptr, nullptr,
          bits_of(static_cast<std::uint32_t>(who)));
}

}  // namespace recombine::cpu
