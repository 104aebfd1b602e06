#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/cuda/pack.cuh"
#include "kernels/types.hpp"

/// Conversions between f32, f64 and bf16 with the same bits as on the CPU.
namespace recombine::cuda {

/// Rounds to nearest even. A NaN becomes a quiet NaN.
__device__ __forceinline__ BFloat16 rounded(float x) {
  const std::uint32_t bits = __float_as_uint(x);
  const std::uint32_t nearest = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return {static_cast<std::uint16_t>(x != x ? (bits >> 16) | 0x40 : nearest)};
}

/// Rounds to f32 first, to odd. If both steps rounded to nearest, values close to a tie would get a wrong result.
__device__ __forceinline__ BFloat16 rounded(double x) {
  const float nearest = static_cast<float>(x);
  if (x != x) return rounded(nearest);
  const double back = static_cast<double>(nearest);
  std::uint32_t bits = __float_as_uint(nearest);
  bits -= fabs(back) > fabs(x) ? 1 : 0;
  bits |= back != x ? 1 : 0;
  return rounded(__uint_as_float(bits));
}

template <class To, class From>
__device__ __forceinline__ To converted(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return rounded(x);
  } else if constexpr (std::is_same_v<From, BFloat16>) {
    return static_cast<To>(__uint_as_float(static_cast<std::uint32_t>(x.bits) << 16));
  } else {
    return static_cast<To>(x);
  }
}

template <class To, class From, int width>
__device__ __forceinline__ Pack<To, width> converted_pack(const Pack<From, width>& from) {
  Pack<To, width> to;
#pragma unroll
  for (int e = 0; e < width; ++e) to.at[e] = converted<To>(from.at[e]);
  return to;
}

}  // namespace recombine::cuda
