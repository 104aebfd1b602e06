#include <math.h>

#include "kernels/cpu/loops/loss_loops.hpp"
#include "kernels/element_hash.hpp"

// glibc's libmvec has vector versions of these functions.
extern "C" {
__attribute__((simd("notinbranch"))) float expf(float) noexcept;
__attribute__((simd("notinbranch"))) float tanhf(float) noexcept;
}

#define RECOMBINE_JOIN(a, b) a##b
#define RECOMBINE_NAME(prefix, isa) RECOMBINE_JOIN(prefix, isa)
#define RECOMBINE_TEXT(x) #x
#define RECOMBINE_STRING(x) RECOMBINE_TEXT(x)

namespace recombine::cpu {

namespace {

constexpr float kGeluScale = 0.7978845608F;  // sqrt(2 / pi)
constexpr float kGeluCubic = 0.044715F;

inline float widened(uint16_t x) { return __builtin_bit_cast(float, static_cast<uint32_t>(x) << 16); }

inline uint16_t narrowed(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return static_cast<uint16_t>(x != x ? (bits >> 16) | 0x40 : rounded);  // 0x40: keeps a NaN from becoming an infinity
}

/// Rounds to f32 first, to odd. If both steps rounded to nearest, values close to a tie would be rounded wrongly.
inline uint16_t narrowed(double x) {
  const float nearest = static_cast<float>(x);
  const double back = static_cast<double>(nearest);
  uint32_t bits = __builtin_bit_cast(uint32_t, nearest);
  bits -= fabs(back) > fabs(x) ? 1 : 0;
  bits |= back != x ? 1 : 0;
  return narrowed(x != x ? nearest : __builtin_bit_cast(float, bits));
}

inline float as_float(float x) { return x; }
inline float as_float(uint16_t x) { return widened(x); }

template <class To>
inline To stored(float x) {
  if constexpr (sizeof(To) == 2) {
    return narrowed(x);
  } else {
    return x;
  }
}

constexpr uint32_t kInfinity = 0x7f800000;  // a value with at least these magnitude bits is infinite or NaN

inline uint32_t magnitude_bits(float x) { return __builtin_bit_cast(uint32_t, x) & 0x7fffffff; }

template <class From>
void gather(const From* __restrict from, float* __restrict to, int64_t n, float scale, float shift) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<float>(from[i]) * scale + shift;
}

template <LoopActivation kind>
inline float activate(float x) {
  if constexpr (kind == LoopActivation::relu) return x < 0 ? 0 : x;  // keeps a NaN
  if constexpr (kind == LoopActivation::tanh) return tanhf(x);
  if constexpr (kind == LoopActivation::sigmoid) return 1 / (1 + expf(-x));
  if constexpr (kind == LoopActivation::gelu) {
    return 0.5F * x * (1 + tanhf(kGeluScale * (x + kGeluCubic * x * x * x)));
  }
  return x;
}

/// y is the activation's output; for gelu it is the input.
template <LoopActivation kind>
inline float derivative(float y) {
  if constexpr (kind == LoopActivation::relu) return y > 0 ? 1 : y - y;  // 0, or NaN
  if constexpr (kind == LoopActivation::tanh) return 1 - y * y;
  if constexpr (kind == LoopActivation::sigmoid) return y * (1 - y);
  if constexpr (kind == LoopActivation::gelu) {
    const float t = tanhf(kGeluScale * (y + kGeluCubic * y * y * y));
    return 0.5F * (1 + t) + 0.5F * y * (1 - t * t) * kGeluScale * (1 + 3 * kGeluCubic * y * y);
  }
  return 1;
}

template <LoopActivation kind, class From, class To>
void activate_row(const From* from, const To* bias, To* to, int64_t n) {
  if (bias) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) to[i] = stored<To>(activate<kind>(as_float(from[i]) + as_float(bias[i])));
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) to[i] = stored<To>(activate<kind>(as_float(from[i])));
  }
}

template <class From, class To>
void bias_activation(const From* from, const To* bias, To* to, int64_t n, LoopActivation activation) {
  switch (activation) {
    case LoopActivation::identity: return activate_row<LoopActivation::identity>(from, bias, to, n);
    case LoopActivation::relu: return activate_row<LoopActivation::relu>(from, bias, to, n);
    case LoopActivation::gelu: return activate_row<LoopActivation::gelu>(from, bias, to, n);
    case LoopActivation::tanh: return activate_row<LoopActivation::tanh>(from, bias, to, n);
    case LoopActivation::sigmoid: return activate_row<LoopActivation::sigmoid>(from, bias, to, n);
  }
}

template <class T>
bool all_finite(const T* __restrict x, int64_t n) {
  uint32_t largest = 0;
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t bits = magnitude_bits(as_float(x[i]));
    largest = bits > largest ? bits : largest;
  }
  return largest < kInfinity;
}

template <LoopActivation kind, class Stored, class In>
bool gradient_rows(const GradientStripe<Stored, In>& s) {
  float* __restrict sums = s.bias_gradient;
  bool finite = true;
  for (int64_t i = 0; i < s.rows; ++i) {
    const Stored* __restrict saved = s.saved + i * s.saved_ld;
    const In* incoming = s.incoming + i * s.incoming_ld;
    Stored* gradient = s.gradient + i * s.gradient_ld;
    const auto slope = [saved](int64_t j) {
      return kind == LoopActivation::identity ? 1 : derivative<kind>(as_float(saved[j]));
    };
    if (sums) {
#pragma omp simd
      for (int64_t j = 0; j < s.cols; ++j) {
        const Stored g = stored<Stored>(as_float(incoming[j]) * slope(j));
        gradient[j] = g;
        sums[j] += as_float(g);
      }
    } else {
#pragma omp simd
      for (int64_t j = 0; j < s.cols; ++j) gradient[j] = stored<Stored>(as_float(incoming[j]) * slope(j));
    }
    if (s.checks_saved && !all_finite(saved, s.cols)) finite = false;  // the row is in the cache
  }
  return finite;
}

template <class T>
void column_sum(const T* x, int64_t ld, int64_t rows, int64_t cols, float* __restrict sums, float beta) {
  for (int64_t j = 0; j < cols; ++j) sums[j] = beta == 0 ? 0 : beta * sums[j];
  for (int64_t i = 0; i < rows; ++i) {
    const T* __restrict row = x + i * ld;
#pragma omp simd
    for (int64_t j = 0; j < cols; ++j) sums[j] += as_float(row[j]);
  }
}

template <class Stored, class In>
bool activation_gradient(const GradientStripe<Stored, In>& s) {
  const bool in_place = static_cast<const void*>(s.incoming) == s.gradient;
  const bool only_sums = s.activation == LoopActivation::identity && in_place && !s.checks_saved;
  if (s.bias_gradient) column_sum(s.gradient, s.gradient_ld, only_sums ? s.rows : 0, s.cols, s.bias_gradient, s.beta);
  if (only_sums) return true;
  switch (s.activation) {
    case LoopActivation::identity: return gradient_rows<LoopActivation::identity>(s);
    case LoopActivation::relu: return gradient_rows<LoopActivation::relu>(s);
    case LoopActivation::gelu: return gradient_rows<LoopActivation::gelu>(s);
    case LoopActivation::tanh: return gradient_rows<LoopActivation::tanh>(s);
    case LoopActivation::sigmoid: return gradient_rows<LoopActivation::sigmoid>(s);
  }
  return true;
}

double square_sum(const float* x, int64_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}

template <class T>
void axpby(T alpha, const T* x, T beta, T* y, int64_t n) {
  if (!x) {
    for (int64_t i = 0; i < n; ++i) y[i] = beta == 0 ? 0 : beta * y[i];
  } else if (beta == 0) {
    for (int64_t i = 0; i < n; ++i) y[i] = alpha * x[i];
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = alpha * x[i] + beta * y[i];
  }
}

bool sgd(float* __restrict w, const float* __restrict g, int64_t n, float lr, float decay, float scale) {
  uint32_t largest = 0;
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < n; ++i) {
    const float next = w[i] - lr * (scale * g[i] + decay * w[i]);
    w[i] = next;
    const uint32_t bits = magnitude_bits(next);
    largest = bits > largest ? bits : largest;
  }
  return largest < kInfinity;
}

bool momentum(float* __restrict w, const float* __restrict g, float* __restrict m, int64_t n, float lr, float beta1,
              float decay, float scale) {
  uint32_t largest = 0;
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < n; ++i) {
    m[i] = beta1 * m[i] + scale * g[i] + decay * w[i];
    const float next = w[i] - lr * m[i];
    w[i] = next;
    const uint32_t bits = magnitude_bits(next);
    largest = bits > largest ? bits : largest;
  }
  return largest < kInfinity;
}

bool adamw(float* __restrict w, const float* __restrict g, float* __restrict m, float* __restrict v, int64_t n,
           const AdamWScalars& s) {
  const AdamWScalars c = s;
  const float keep = 1 - c.lr * c.weight_decay;
  const float rate = c.lr * c.first_correction;
  uint32_t largest = 0;
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < n; ++i) {
    const float gradient = c.gradient_scale * g[i];
    m[i] = c.beta1 * m[i] + (1 - c.beta1) * gradient;
    v[i] = c.beta2 * v[i] + (1 - c.beta2) * gradient * gradient;
    const float next = keep * w[i] - rate * m[i] / (sqrtf(v[i] * c.second_correction) + c.epsilon);
    w[i] = next;
    const uint32_t bits = magnitude_bits(next);
    largest = bits > largest ? bits : largest;
  }
  return largest < kInfinity;
}

template <class From, class To>
void cast(const From* __restrict from, To* __restrict to, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (sizeof(To) == 2) {
      to[i] = narrowed(from[i]);
    } else if constexpr (sizeof(From) == 2) {
      to[i] = static_cast<To>(widened(from[i]));
    } else {
      to[i] = static_cast<To>(from[i]);
    }
  }
}

constexpr CastLoops kCastLoops = {cast<float, double>,   cast<double, float>,    cast<float, uint16_t>,
                                  cast<uint16_t, float>, cast<double, uint16_t>, cast<uint16_t, double>};

template <class Bits>
uint64_t fingerprint(const Bits* x, int64_t n, uint64_t key, uint64_t index) {
  uint64_t sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += element_hash(key, index + static_cast<uint64_t>(i), x[i]);
  return sum;
}

constexpr FingerprintLoops kFingerprintLoops = {fingerprint<uint16_t>, fingerprint<uint32_t>, fingerprint<uint64_t>};

constexpr BiasActivationLoops kBiasActivationLoops = {bias_activation<float, float>, bias_activation<float, uint16_t>,
                                                      bias_activation<uint16_t, uint16_t>};
constexpr GradientLoops kGradientLoops = {activation_gradient<float, float>, activation_gradient<uint16_t, float>,
                                          activation_gradient<uint16_t, uint16_t>};

constexpr Loops kLoops = {RECOMBINE_STRING(RECOMBINE_ISA),
                          gather<uint8_t>,
                          gather<float>,
                          kBiasActivationLoops,
                          kGradientLoops,
                          square_sum,
                          axpby<float>,
                          axpby<double>,
                          sgd,
                          momentum,
                          adamw,
                          kCastLoops,
                          RECOMBINE_ISA::kLossLoops,
                          kFingerprintLoops};

}  // namespace

const Loops& RECOMBINE_NAME(loops_, RECOMBINE_ISA)() { return kLoops; }

}  // namespace recombine::cpu
