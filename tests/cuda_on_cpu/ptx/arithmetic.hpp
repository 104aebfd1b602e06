#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "tests/cuda_on_cpu/ptx/values.hpp"

namespace emulated {

/// .ftz: a subnormal becomes zero and keeps its sign.
template <typename T>
T flushed(T x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(T{0}, x) : x;
}

inline float saturated(float x) { return x > 0 ? std::fmin(x, 1.0F) : 0.0F; }
inline double saturated(double x) { return x > 0 ? std::fmin(x, 1.0) : 0.0; }

inline float fma_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline double fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
/// The product of two bf16 is exact in double. Adding the third may lose only the last bits.
inline Bf16 fma_rn(Bf16 a, Bf16 b, Bf16 c) { return to<Bf16>(static_cast<float>(double{a} * b + double{c})); }

// Other roundings of f32: the 64 bits of a long double are enough to decide.
inline float rounded_down(long double x) {
  const auto nearest = static_cast<float>(x);
  return nearest > x ? std::nextafter(nearest, -std::numeric_limits<float>::infinity()) : nearest;
}
inline float rounded_up(long double x) { return -rounded_down(-x); }
inline float rounded_to_zero(long double x) { return x > 0 ? rounded_down(x) : rounded_up(x); }
#define EMULATED_ROUNDED(NAME, ROUND)                                                          \
  inline float add_##NAME(float a, float b) { return ROUND(static_cast<long double>(a) + b); } \
  inline float sub_##NAME(float a, float b) { return ROUND(static_cast<long double>(a) - b); } \
  inline float mul_##NAME(float a, float b) { return ROUND(static_cast<long double>(a) * b); } \
  inline float fma_##NAME(float a, float b, float c) { return ROUND(static_cast<long double>(a) * b + c); }
EMULATED_ROUNDED(rz, rounded_to_zero)
EMULATED_ROUNDED(rm, rounded_down)
EMULATED_ROUNDED(rp, rounded_up)
#undef EMULATED_ROUNDED

template <typename T>
using Wider = std::conditional_t<
    sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>,
    std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>,
                       std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>>>;

template <typename T>
Wider<T> mul_wide(T a, T b) {
  return static_cast<Wider<T>>(a) * static_cast<Wider<T>>(b);
}
template <typename T>
T mul_lo(T a, T b) {
  return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
template <typename T>
T mul_hi(T a, T b) {
  return static_cast<T>(mul_wide(a, b) >> (8 * sizeof(T)));
}

/// Division by zero has all bits set in PTX.
template <typename T>
T div_int(T a, T b) {
  return b == 0 ? static_cast<T>(-1) : static_cast<T>(a / b);
}
template <typename T>
T rem_int(T a, T b) {
  return b == 0 ? a : static_cast<T>(a % b);
}

template <typename T>
T min_of(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return std::fmin(a, b);
  return a < b ? a : b;
}
template <typename T>
T max_of(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return std::fmax(a, b);
  return a > b ? a : b;
}
template <typename T>
T min_nan(T a, T b) {
  return a != a || b != b ? std::numeric_limits<T>::quiet_NaN() : min_of(a, b);
}
template <typename T>
T max_nan(T a, T b) {
  return a != a || b != b ? std::numeric_limits<T>::quiet_NaN() : max_of(a, b);
}

template <typename T>
T neg_of(T a) {
  return static_cast<T>(-a);
}
template <typename T>
T abs_of(T a) {
  if constexpr (std::is_floating_point_v<T>) return std::fabs(a);
  return a < 0 ? static_cast<T>(-a) : a;
}
inline Bf16 neg_of(Bf16 a) { return {static_cast<std::uint16_t>(a.bits ^ 0x8000U)}; }
inline Bf16 abs_of(Bf16 a) { return {static_cast<std::uint16_t>(a.bits & 0x7fffU)}; }

template <typename T>
T rcp_of(T x) {
  return T{1} / x;
}
template <typename T>
T sqrt_of(T x) {
  return std::sqrt(x);
}
template <typename T>
T rsqrt_of(T x) {
  return T{1} / std::sqrt(x);
}
inline float ex2_of(float x) { return std::exp2(x); }
inline float lg2_of(float x) { return std::log2(x); }
inline float sin_of(float x) { return std::sin(x); }
inline float cos_of(float x) { return std::cos(x); }
inline float tanh_of(float x) { return std::tanh(x); }

// bf16: computed in f32, then rounded. Bf16x2 computes two values.
inline Bf16 operator+(Bf16 a, Bf16 b) { return to<Bf16>(float{a} + float{b}); }
inline Bf16 operator-(Bf16 a, Bf16 b) { return to<Bf16>(float{a} - float{b}); }
inline Bf16 operator*(Bf16 a, Bf16 b) { return to<Bf16>(float{a} * float{b}); }
inline Bf16 min_of(Bf16 a, Bf16 b) { return to<Bf16>(std::fmin(float{a}, float{b})); }
inline Bf16 max_of(Bf16 a, Bf16 b) { return to<Bf16>(std::fmax(float{a}, float{b})); }
inline F16 operator+(F16 a, F16 b) { return {static_cast<_Float16>(a.value + b.value)}; }
inline F16 operator-(F16 a, F16 b) { return {static_cast<_Float16>(a.value - b.value)}; }
inline F16 operator*(F16 a, F16 b) { return {static_cast<_Float16>(a.value * b.value)}; }
template <typename T>
Pair<T> operator+(Pair<T> a, Pair<T> b) {
  return {a.low + b.low, a.high + b.high};
}
template <typename T>
Pair<T> operator-(Pair<T> a, Pair<T> b) {
  return {a.low - b.low, a.high - b.high};
}
template <typename T>
Pair<T> operator*(Pair<T> a, Pair<T> b) {
  return {a.low * b.low, a.high * b.high};
}
inline Bf16x2 fma_rn(Bf16x2 a, Bf16x2 b, Bf16x2 c) {
  return {fma_rn(a.low, b.low, c.low), fma_rn(a.high, b.high, c.high)};
}
inline Bf16x2 neg_of(Bf16x2 a) { return {neg_of(a.low), neg_of(a.high)}; }
inline Bf16x2 abs_of(Bf16x2 a) { return {abs_of(a.low), abs_of(a.high)}; }
inline Bf16x2 min_of(Bf16x2 a, Bf16x2 b) { return {min_of(a.low, b.low), min_of(a.high, b.high)}; }
inline Bf16x2 max_of(Bf16x2 a, Bf16x2 b) { return {max_of(a.low, b.low), max_of(a.high, b.high)}; }

template <typename T>
T round_rni(T x) {
  return std::nearbyint(x);
}
template <typename T>
T round_rzi(T x) {
  return std::trunc(x);
}
template <typename T>
T round_rmi(T x) {
  return std::floor(x);
}
template <typename T>
T round_rpi(T x) {
  return std::ceil(x);
}

/// NaN becomes 0. A value that does not fit becomes the nearest integer that does.
template <typename Integer, typename Float>
Integer to_int(Float x) {
  using Limits = std::numeric_limits<Integer>;
  if (x != x) return 0;
  if (x >= static_cast<Float>(Limits::max())) return Limits::max();
  if (x <= static_cast<Float>(Limits::min())) return Limits::min();
  return static_cast<Integer>(x);
}

}  // namespace emulated
