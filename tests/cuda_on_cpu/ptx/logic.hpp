#pragma once

#include <cmath>
#include <cstdint>

#include "tests/cuda_on_cpu/ptx/values.hpp"

namespace emulated {

template <typename T>
T shl(T a, std::uint32_t n) {
  return n >= 8 * sizeof(T) ? T{0} : static_cast<T>(a << n);
}
template <typename T>
T shr(T a, std::uint32_t n) {
  if (n >= 8 * sizeof(T)) return a < 0 ? static_cast<T>(-1) : T{0};
  return static_cast<T>(a >> n);
}

inline std::uint32_t funnel_l_clamp(std::uint32_t low, std::uint32_t high, std::uint32_t n) {
  const std::uint64_t both = std::uint64_t{high} << 32 | low;
  return n >= 32 ? low : static_cast<std::uint32_t>(both << n >> 32);
}
inline std::uint32_t funnel_r_clamp(std::uint32_t low, std::uint32_t high, std::uint32_t n) {
  const std::uint64_t both = std::uint64_t{high} << 32 | low;
  return n >= 32 ? high : static_cast<std::uint32_t>(both >> n);
}
inline std::uint32_t funnel_l_wrap(std::uint32_t low, std::uint32_t high, std::uint32_t n) {
  return funnel_l_clamp(low, high, n & 31);
}
inline std::uint32_t funnel_r_wrap(std::uint32_t low, std::uint32_t high, std::uint32_t n) {
  return funnel_r_clamp(low, high, n & 31);
}

/// Bit i of the result is bit (4 a_i + 2 b_i + c_i) of the table.
inline std::uint32_t lop3(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t table) {
  std::uint32_t result = 0;
  for (std::uint32_t row = 0; row < 8; ++row)
    if (table >> row & 1) result |= (row & 4 ? a : ~a) & (row & 2 ? b : ~b) & (row & 1 ? c : ~c);
  return result;
}

template <typename T>
T low_bits(std::uint32_t length) {
  return length >= 8 * sizeof(T) ? static_cast<T>(-1) : static_cast<T>((std::uint64_t{1} << length) - 1);
}

template <typename T>
T bit_field(T a, std::uint32_t position, std::uint32_t length) {
  constexpr std::uint32_t kBits = 8 * sizeof(T);
  position &= 255;
  length &= 255;
  if (length == 0) return 0;
  const T field = shr(a, position) & low_bits<T>(length);
  if (std::is_unsigned_v<T>) return field;
  const std::uint32_t sign_at = position + length - 1 < kBits - 1 ? position + length - 1 : kBits - 1;
  const bool negative = a >> sign_at & 1;
  return negative && length < kBits ? static_cast<T>(field | ~low_bits<T>(length)) : field;
}

template <typename T>
T bit_insert(T a, T b, std::uint32_t position, std::uint32_t length) {
  position &= 255;
  length &= 255;
  if (length == 0 || position >= 8 * sizeof(T)) return b;
  const T mask = shl(low_bits<T>(length), position);
  return static_cast<T>((b & ~mask) | (shl(a, position) & mask));
}

inline std::uint32_t popc_of(std::uint64_t a) { return static_cast<std::uint32_t>(__builtin_popcountll(a)); }
inline std::uint32_t clz_of(std::uint32_t a) { return a ? static_cast<std::uint32_t>(__builtin_clz(a)) : 32; }
inline std::uint32_t clz_of(std::uint64_t a) { return a ? static_cast<std::uint32_t>(__builtin_clzll(a)) : 64; }
template <typename T>
T brev_of(T a) {
  T result = 0;
  for (std::size_t i = 0; i < 8 * sizeof(T); ++i) result = static_cast<T>(result << 1 | (a >> i & 1));
  return result;
}

/// Four bits of the selector choose each byte from {b, a}. The highest of them replaces the byte by copies of its sign.
inline std::uint32_t permute_bytes(std::uint32_t a, std::uint32_t b, std::uint32_t selector) {
  const std::uint64_t both = std::uint64_t{b} << 32 | a;
  std::uint32_t result = 0;
  for (int i = 0; i < 4; ++i) {
    const std::uint32_t choice = selector >> (4 * i) & 15;
    auto byte = static_cast<std::uint32_t>(both >> (8 * (choice & 7)) & 255);
    if (choice & 8) byte = byte & 128 ? 255 : 0;
    result |= byte << (8 * i);
  }
  return result;
}

// Comparisons. Those with a u are true if an operand is NaN.
#define EMULATED_COMPARISON(NAME, HOLDS) \
  template <typename T>                  \
  bool is_##NAME(T a, T b) {             \
    return HOLDS;                        \
  }
EMULATED_COMPARISON(eq, a == b)
EMULATED_COMPARISON(ne, a<b || a> b)
EMULATED_COMPARISON(lt, a < b)
EMULATED_COMPARISON(le, a <= b)
EMULATED_COMPARISON(gt, a > b)
EMULATED_COMPARISON(ge, a >= b)
EMULATED_COMPARISON(lo, a < b)
EMULATED_COMPARISON(ls, a <= b)
EMULATED_COMPARISON(hi, a > b)
EMULATED_COMPARISON(hs, a >= b)
EMULATED_COMPARISON(equ, !(a < b || a > b))
EMULATED_COMPARISON(neu, a != b)
EMULATED_COMPARISON(ltu, !(a >= b))
EMULATED_COMPARISON(leu, !(a > b))
EMULATED_COMPARISON(gtu, !(a <= b))
EMULATED_COMPARISON(geu, !(a < b))
EMULATED_COMPARISON(num, a == a && b == b)
EMULATED_COMPARISON(nan, a != a || b != b)
#undef EMULATED_COMPARISON

template <typename T>
bool is_finite(T x) {
  return std::isfinite(x);
}
template <typename T>
bool is_infinite(T x) {
  return std::isinf(x);
}
template <typename T>
bool is_number(T x) {
  return !std::isnan(x);
}
template <typename T>
bool is_notanumber(T x) {
  return std::isnan(x);
}
template <typename T>
bool is_normal(T x) {
  return std::isnormal(x);
}
template <typename T>
bool is_subnormal(T x) {
  return std::fpclassify(x) == FP_SUBNORMAL;
}

}  // namespace emulated
