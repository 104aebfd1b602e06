#pragma once

#include <type_traits>

#include "kernels/math.hpp"

/// The activations and their derivatives, with the same constants as on the CPU.
namespace recombine::cuda {

inline constexpr float kGeluScale = 0.7978845608F;  // sqrt(2 / pi)
inline constexpr float kGeluCubic = 0.044715F;

template <Activation kind>
__device__ __forceinline__ float activate(float x) {
  if constexpr (kind == Activation::relu) return x < 0 ? 0 : x;  // keeps a NaN
  if constexpr (kind == Activation::tanh) return tanhf(x);
  if constexpr (kind == Activation::sigmoid) return 1 / (1 + expf(-x));
  if constexpr (kind == Activation::gelu) {
    return 0.5F * x * (1 + tanhf(kGeluScale * (x + kGeluCubic * x * x * x)));
  }
  return x;
}

/// y is the activation's output; for gelu it is the input.
template <Activation kind>
__device__ __forceinline__ float derivative(float y) {
  if constexpr (kind == Activation::relu) return y > 0 ? 1 : y - y;  // 0, or NaN
  if constexpr (kind == Activation::tanh) return 1 - y * y;
  if constexpr (kind == Activation::sigmoid) return y * (1 - y);
  if constexpr (kind == Activation::gelu) {
    const float t = tanhf(kGeluScale * (y + kGeluCubic * y * y * y));
    return 0.5F * (1 + t) + 0.5F * y * (1 - t * t) * kGeluScale * (1 + 3 * kGeluCubic * y * y);
  }
  return 1;
}

/// Calls f(std::integral_constant<Activation, activation>{}).
template <class F>
void with_activation(Activation activation, const F& f) {
  switch (activation) {
    case Activation::identity: return f(std::integral_constant<Activation, Activation::identity>{});
    case Activation::relu: return f(std::integral_constant<Activation, Activation::relu>{});
    case Activation::gelu: return f(std::integral_constant<Activation, Activation::gelu>{});
    case Activation::tanh: return f(std::integral_constant<Activation, Activation::tanh>{});
    case Activation::sigmoid: return f(std::integral_constant<Activation, Activation::sigmoid>{});
  }
}

}  // namespace recombine::cuda
