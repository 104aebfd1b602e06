#pragma once

#include <type_traits>

#include "kernels/math.hpp"

/// The activations and their derivatives, with the same constants as on the CPU.
namespace recombine::cuda {

inline constexpr float kGeluScale = 0.7978845608F;  // sqrt(2 / pi)
inline constexpr float kGeluCubic = 0.044715F;

/// exp(-x) and 1 / (1 + exp(-x)), which is 0.5 + 0.5 tanh(x / 2), by approximate instructions: the absolute error of
/// the second is about 1e-7, and it takes a quarter of the time of tanhf().
struct Logistic {
  float decay;
  float value;
};

__device__ __forceinline__ Logistic logistic(float x) {
  const float decay = __expf(x < -80 ? 80 : -x);  // finite, so decay * value is not NaN, unless x is NaN
  return {decay, __fdividef(1, 1 + decay)};
}

/// Returns s for GELU(x) = x / (1 + exp(-s)), the tanh approximation.
__device__ __forceinline__ float gelu_argument(float x) { return 2 * kGeluScale * (x + kGeluCubic * x * x * x); }

template <Activation kind>
__device__ __forceinline__ float activate(float x) {
  if constexpr (kind == Activation::relu) return x < 0 ? 0 : x;  // keeps a NaN
  if constexpr (kind == Activation::tanh) return tanhf(x);
  if constexpr (kind == Activation::sigmoid) return logistic(x).value;
  if constexpr (kind == Activation::gelu) return x * logistic(gelu_argument(x)).value;
  return x;
}

/// y is the activation's output; for gelu it is the input.
template <Activation kind>
__device__ __forceinline__ float derivative(float y) {
  if constexpr (kind == Activation::relu) return y > 0 ? 1 : y - y;  // 0, or NaN
  if constexpr (kind == Activation::tanh) return 1 - y * y;
  if constexpr (kind == Activation::sigmoid) return y * (1 - y);
  if constexpr (kind == Activation::gelu) {
    const Logistic s = logistic(gelu_argument(y));
    const float slope = s.decay * s.value * s.value;  // value * (1 - value), without cancellation
    return s.value + y * slope * (2 * kGeluScale * (1 + 3 * kGeluCubic * y * y));
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
