#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/reduce.cuh"

namespace recombine::cuda {

namespace {

struct OptimizerCall {
  float* weights;
  const float* gradient;
  float* first_moment;
  float* second_moment;
  BFloat16* rounded_weights;  // null: not written
  std::int64_t n;
  const OptimizerRates* rates;
  float beta1, beta2, epsilon, weight_decay;
  const std::int64_t* undecayed;  // [2 undecayed_ranges] begin, end, ... in the flat buffer of the weights
  std::int64_t undecayed_ranges;
  std::int64_t first_weight;
  const double* gradient_square_sum;
  double clip_norm;    // 0: no clipping
  double* bad_weight;  // null: not written
};

/// The factor of the gradient, computed once per block.
__device__ __forceinline__ float gradient_scale(const OptimizerCall& call) {
  __shared__ float scale;
  if (call.clip_norm <= 0) return 1;
  if (thread_of_block() == 0) {
    const double fits = call.clip_norm / sqrt(*call.gradient_square_sum);
    scale = fits >= 1 ? 1.0F : static_cast<float>(fits);  // NaN if the norm is NaN
  }
  __syncthreads();
  return scale;
}

/// The weight decay of the weights of one thread. The thread visits them in ascending order.
class Decay {
 public:
  __device__ __forceinline__ explicit Decay(const OptimizerCall& call) : call_(call) { read(); }

  /// The decay of the weight at flat index `at`, which must not be smaller than in the call before.
  __device__ __forceinline__ float of(std::int64_t at) {
    for (; at >= end_; read()) ++range_;
    return at >= begin_ ? 0 : call_.weight_decay;
  }

 private:
  __device__ __forceinline__ void read() {
    if (range_ < call_.undecayed_ranges) {
      begin_ = call_.undecayed[2 * range_];
      end_ = call_.undecayed[2 * range_ + 1];
    } else {
      begin_ = end_ = INT64_MAX;
    }
  }

  const OptimizerCall& call_;
  std::int64_t range_ = 0;
  std::int64_t begin_, end_;  // of the first range that ends after the last visited weight
};

/// Returns the new weight. Updates m and v if this kind of optimizer uses them.
template <OptimizerKind kind>
__device__ __forceinline__ float stepped(const OptimizerCall& call, const OptimizerRates& rates, float decay, float w,
                                         float g, float& m, float& v) {
  if constexpr (kind == OptimizerKind::sgd) return w - rates.lr * (g + decay * w);
  if constexpr (kind == OptimizerKind::momentum) {
    m = call.beta1 * m + g + decay * w;
    return w - rates.lr * m;
  }
  m = call.beta1 * m + (1 - call.beta1) * g;
  v = call.beta2 * v + (1 - call.beta2) * g * g;
  const float keep = 1 - rates.lr * decay;
  const float rate = rates.lr * rates.first_correction;
  return keep * w - rate * m / (sqrtf(v * rates.second_correction) + call.epsilon);
}

/// OptimizerStep::bad_weight of a pack with a weight that is NaN or infinite.
template <int width>
__device__ __forceinline__ double bad_weight_of(const Pack<float, width>& w, const Pack<float, width>& g, int count,
                                                float scale, std::int64_t first) {
  int last = -1;
#pragma unroll
  for (int e = 0; e < width; ++e) {
    if (e < count && !is_finite(w.at[e]) && (is_finite(scale) || !is_finite(g.at[e]))) last = e;
  }
  return last < 0 ? 1 : static_cast<double>(1 + first + last);
}

template <OptimizerKind kind, int width>
__global__ void __launch_bounds__(kBlockThreads) optimizer_kernel(OptimizerCall call) {
  constexpr bool kFirst = kind != OptimizerKind::sgd;
  constexpr bool kSecond = kind == OptimizerKind::adamw;
  const float scale = gradient_scale(call);
  const OptimizerRates rates = *call.rates;
  Decay decay(call);
  for_items(1, ceil_div(call.n, width), [&](std::int64_t, std::int64_t j) {
    const int count = pack_count<width>(call.n, j);
    const std::int64_t at = j * width;
    Pack<float, width> w = load_pack<width>(call.weights + at, count);
    const Pack<float, width> g = load_pack<width>(call.gradient + at, count);
    Pack<float, width> m{};
    Pack<float, width> v{};
    Pack<BFloat16, width> rounded_w;
    bool finite = true;
    if constexpr (kFirst) m = load_pack<width>(call.first_moment + at, count);
    if constexpr (kSecond) v = load_pack<width>(call.second_moment + at, count);
#pragma unroll
    for (int e = 0; e < width; ++e) {
      const float decay_of_w = decay.of(call.first_weight + at + e);
      w.at[e] = stepped<kind>(call, rates, decay_of_w, w.at[e], scale * g.at[e], m.at[e], v.at[e]);
      rounded_w.at[e] = rounded(w.at[e]);
      finite = finite && (e >= count || is_finite(w.at[e]));
    }
    store_pack<width>(call.weights + at, w, count);
    if constexpr (kFirst) store_pack<width>(call.first_moment + at, m, count);
    if constexpr (kSecond) store_pack<width>(call.second_moment + at, v, count);
    if (call.rounded_weights) store_pack<width>(call.rounded_weights + at, rounded_w, count);
    if (!finite && call.bad_weight) {
      raise_to(call.bad_weight, bad_weight_of<width>(w, g, count, scale, call.first_weight + at));
    }
  });
}

OptimizerCall call_of(const OptimizerStep& step) {
  return {.weights = step.weights.as<float>(),
          .gradient = step.gradient.as<float>(),
          .first_moment = step.first_moment.as<float>(),
          .second_moment = step.second_moment.as<float>(),
          .rounded_weights = step.rounded_weights.size > 0 ? step.rounded_weights.as<BFloat16>() : nullptr,
          .n = step.weights.size,
          .rates = step.rates,
          .beta1 = step.beta1,
          .beta2 = step.beta2,
          .epsilon = step.epsilon,
          .weight_decay = step.weight_decay,
          .undecayed = step.undecayed.as<std::int64_t>(),
          .undecayed_ranges = step.weight_decay == 0 ? 0 : step.undecayed.size / 2,
          .first_weight = step.first_weight,
          .gradient_square_sum = step.gradient_square_sum,
          .clip_norm = step.clip_norm > 0 ? static_cast<double>(step.clip_norm) : 0.0,
          .bad_weight = step.bad_weight};
}

template <OptimizerKind kind, int width>
void step_packs(cudaStream_t stream, const OptimizerStep& step) {
  const std::int64_t resident = std::int64_t{multiprocessor_count()} * (2048 / kBlockThreads);
  const std::int64_t blocks = std::min(ceil_div(ceil_div(step.weights.size, width), kBlockThreads), resident);
  optimizer_kernel<kind, width><<<static_cast<unsigned>(blocks), kBlockThreads, 0, stream>>>(call_of(step));
  check_launch("optimizer_step");
}

template <OptimizerKind kind>
void step_as(cudaStream_t stream, const OptimizerStep& step) {
  const bool wide = packs_fit_vector(step.weights) && packs_fit_vector(step.gradient) &&
                    packs_fit_vector(step.first_moment) && packs_fit_vector(step.second_moment) &&
                    packs_fit_vector(step.rounded_weights);
  wide ? step_packs<kind, kWide>(stream, step) : step_packs<kind, 1>(stream, step);
}

}  // namespace

void optimizer_step(cudaStream_t stream, const OptimizerStep& step) {
  if (step.weights.size == 0) return;
  switch (step.kind) {
    case OptimizerKind::sgd: return step_as<OptimizerKind::sgd>(stream, step);
    case OptimizerKind::momentum: return step_as<OptimizerKind::momentum>(stream, step);
    case OptimizerKind::adamw: return step_as<OptimizerKind::adamw>(stream, step);
  }
}

}  // namespace recombine::cuda
