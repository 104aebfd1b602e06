#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

/// Registers hold bits. An instruction reads and writes them as values of its type.
namespace emulated {

template <std::size_t kBytes>
using Bits = std::conditional_t<
    kBytes == 1, std::uint8_t,
    std::conditional_t<kBytes == 2, std::uint16_t, std::conditional_t<kBytes == 4, std::uint32_t, std::uint64_t>>>;

struct Bf16 {
  std::uint16_t bits;
  operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

struct F16 {
  _Float16 value;
  operator float() const { return static_cast<float>(value); }
};

template <typename Half>
struct Pair {
  Half low;
  Half high;
};
using Bf16x2 = Pair<Bf16>;
using F16x2 = Pair<F16>;

template <typename T, typename Register>
T get(Register bits) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(bits);
  } else {
    static_assert(sizeof(T) <= sizeof(Register));
    return std::bit_cast<T>(static_cast<Bits<sizeof(T)>>(bits));
  }
}

template <typename Register, typename T>
void put(Register& target, T value) {
  if constexpr (std::is_integral_v<T>) {
    target = static_cast<Register>(value);
  } else {
    static_assert(sizeof(T) <= sizeof(Register));
    target = static_cast<Register>(std::bit_cast<Bits<sizeof(T)>>(value));
  }
}

/// Converts to T. Floating-point results are rounded to nearest even.
template <typename T, typename From>
T to(From value) {
  if constexpr (std::is_same_v<T, Bf16>) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    if ((bits & 0x7fffffffU) > 0x7f800000U) return {0x7fff};
    return {static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1)) >> 16)};
  } else if constexpr (std::is_same_v<T, F16>) {
    return {static_cast<_Float16>(value)};
  } else {
    return static_cast<T>(value);
  }
}

template <typename T>
T pack(float high, float low) {
  return {to<decltype(T::low)>(low), to<decltype(T::high)>(high)};
}

/// Rounds to 10 bits of mantissa: to nearest, ties away from zero.
inline std::uint32_t to_tf32(float value) { return (std::bit_cast<std::uint32_t>(value) + 0x1000U) & ~0x1fffU; }

}  // namespace emulated
