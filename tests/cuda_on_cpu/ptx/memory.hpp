#pragma once

#include "tests/cuda_on_cpu/ptx/arithmetic.hpp"
#include "tests/cuda_on_cpu/runtime/device_code.hpp"

/// Memory accesses of kernels. Every address is checked, and the sanitizers see every access.
namespace emulated {

inline void check_alignment(Thread& thread, std::uint64_t address, std::uint64_t align) {
  if (address % align != 0) [[unlikely]]
    fail_in(thread, "a misaligned address");
}

inline bool holds(const KnownMemory::Range& range, std::uint64_t address, std::uint64_t bytes) {
  return address >= range.begin && address + bytes <= range.end;
}

/// The host address for an access of `bytes` at `address`. An allocation of the GPU must contain it.
inline std::uint64_t global_memory(Thread& thread, std::uint64_t address, std::uint64_t bytes, std::uint64_t align) {
  check_alignment(thread, address, align);
  if (!holds(thread.known_memory->ranges[0], address, bytes)) find_memory(thread, address, bytes);
  return address;
}

inline std::uint64_t shared_memory(Thread& thread, std::uint64_t offset, std::uint64_t bytes, std::uint64_t align) {
  const auto start = static_cast<std::uint32_t>(offset);
  check_alignment(thread, start, align);
  if (start + bytes > thread.shared_bytes) fail_in(thread, "an access out of bounds of the shared memory");
  return reinterpret_cast<std::uint64_t>(thread.shared) + start;
}

/// As above, for an address in shared or global memory.
inline std::uint64_t generic_memory(Thread& thread, std::uint64_t address, std::uint64_t bytes, std::uint64_t align) {
  const std::uint64_t offset = address - reinterpret_cast<std::uint64_t>(thread.shared);
  if (thread.shared && offset < thread.shared_bytes) return shared_memory(thread, offset, bytes, align);
  return global_memory(thread, address, bytes, align);
}

template <typename T>
T load(std::uint64_t from) {
  return *reinterpret_cast<const T*>(from);
}
template <typename T>
void store(std::uint64_t to, T value) {
  *reinterpret_cast<T*>(to) = value;
}

template <typename T>
T load_relaxed(std::uint64_t from) {
  return std::bit_cast<T>(__atomic_load_n(reinterpret_cast<const Bits<sizeof(T)>*>(from), __ATOMIC_RELAXED));
}
template <typename T>
T load_acquire(std::uint64_t from) {
  return std::bit_cast<T>(__atomic_load_n(reinterpret_cast<const Bits<sizeof(T)>*>(from), __ATOMIC_ACQUIRE));
}
template <typename T>
void store_relaxed(std::uint64_t to, T value) {
  __atomic_store_n(reinterpret_cast<Bits<sizeof(T)>*>(to), std::bit_cast<Bits<sizeof(T)>>(value), __ATOMIC_RELAXED);
}
template <typename T>
void store_release(std::uint64_t to, T value) {
  __atomic_store_n(reinterpret_cast<Bits<sizeof(T)>*>(to), std::bit_cast<Bits<sizeof(T)>>(value), __ATOMIC_RELEASE);
}

enum class Order { relaxed, acquire_release };

/// Stores change(old) and returns the old value.
template <typename T, typename Change>
T atomic_change(Order order, std::uint64_t address, Change change) {
  using Raw = Bits<sizeof(T)>;
  auto* memory = reinterpret_cast<Raw*>(address);
  Raw old = __atomic_load_n(memory, __ATOMIC_RELAXED);
  for (;;) {
    const Raw next = std::bit_cast<Raw>(static_cast<T>(change(std::bit_cast<T>(old))));
    const bool done = order == Order::relaxed
                          ? __atomic_compare_exchange_n(memory, &old, next, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
                          : __atomic_compare_exchange_n(memory, &old, next, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    if (done) return std::bit_cast<T>(old);
  }
}

#define EMULATED_ATOMIC(NAME, NEXT)                                                           \
  template <typename T>                                                                       \
  T atomic_##NAME(Thread&, Order order, std::uint64_t address, T value) {                     \
    return atomic_change<T>(order, address, [value](T old) { return static_cast<T>(NEXT); }); \
  }
EMULATED_ATOMIC(add, old + value)
EMULATED_ATOMIC(min, min_of(old, value))
EMULATED_ATOMIC(max, max_of(old, value))
EMULATED_ATOMIC(exch, (static_cast<void>(old), value))
EMULATED_ATOMIC(and, old& value)
EMULATED_ATOMIC(or, old | value)
EMULATED_ATOMIC(xor, old ^ value)
EMULATED_ATOMIC(inc, old >= value ? T{0} : old + 1)
EMULATED_ATOMIC(dec, old == 0 || old > value ? value : old - 1)
#undef EMULATED_ATOMIC

template <typename T>
T atomic_cas(Thread&, Order order, std::uint64_t address, T expected, T value) {
  return atomic_change<T>(order, address, [=](T old) { return old == expected ? value : old; });
}

/// cp.async of `bytes`: the first `source_bytes` are read, the rest is zero.
[[gnu::noinline]] inline void async_copy(Thread& thread, std::uint64_t to, std::uint64_t from, std::uint64_t bytes,
                                         std::uint64_t source_bytes) {
  if (source_bytes > bytes) fail_in(thread, "cp.async reads more than it writes");
  check_alignment(thread, from, bytes);
  if (source_bytes > 0) global_memory(thread, from, source_bytes, 1);
  start_copy(thread, {reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes, source_bytes});
}

}  // namespace emulated
