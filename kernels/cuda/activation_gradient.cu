#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/column_sums.cuh"
#include "kernels/cuda/launchers.hpp"

namespace recombine::cuda {

namespace {

/// gradient *= activation'(saved), in place.   As an item of column sums, it returns what it has written.
template <Activation kind, int width>
struct GradientItem {
  const float* saved;
  std::int64_t saved_ld;
  float* gradient;
  std::int64_t gradient_ld;
  std::int64_t cols;

  __device__ __forceinline__ Pack<float, width> operator()(std::int64_t i, std::int64_t pack, int count) const {
    const Pack<float, width> y = load_pack<width>(saved + i * saved_ld + pack * width, count);
    float* const to = gradient + i * gradient_ld + pack * width;
    Pack<float, width> g = load_pack<width>(to, count);
#pragma unroll
    for (int e = 0; e < width; ++e) g.at[e] *= derivative<kind>(y.at[e]);
    store_pack<width>(to, g, count);
    return g;
  }

  __device__ __forceinline__ void operator()(std::int64_t i, std::int64_t pack) const {
    (*this)(i, pack, pack_count<width>(cols, pack));
  }
};

template <Activation kind, int width>
void gradient_packs(const Launch& launch, const ActivationGradient& call) {
  const MatrixView& g = call.gradient;
  const GradientItem<kind, width> item = {call.saved.as<float>(), call.saved.ld, g.as<float>(), g.ld, g.cols};
  if (call.bias_gradient.size > 0) {
    const ColumnSums sums = {g.rows, g.cols, call.bias_gradient.as<float>(), call.beta};
    sum_columns<width>(launch, "activation_gradient", sums, item);
  } else {
    for_elements(launch.stream, "activation_gradient", g.rows, ceil_div(g.cols, width), item);
  }
}

/// bias_gradient = beta bias_gradient + the column sums of the unchanged gradient.
template <int width>
void sum_gradient_packs(const Launch& launch, const ActivationGradient& call) {
  const MatrixView& g = call.gradient;
  sum_columns<width>(launch, "activation_gradient", {g.rows, g.cols, call.bias_gradient.as<float>(), call.beta},
                     MatrixItem<float, width>{g.as<float>(), g.ld});
}

}  // namespace

void activation_gradient(const Launch& launch, const ActivationGradient& call) {
  if (call.activation == Activation::identity) {
    if (call.bias_gradient.size == 0) return;
    return packs_fit_matrix(call.gradient) ? sum_gradient_packs<kWide>(launch, call)
                                           : sum_gradient_packs<1>(launch, call);
  }
  const bool wide = packs_fit_matrix(call.saved) && packs_fit_matrix(call.gradient);
  with_activation(call.activation, [&](auto activation) {
    if constexpr (activation() != Activation::identity) {
      wide ? gradient_packs<activation(), kWide>(launch, call) : gradient_packs<activation(), 1>(launch, call);
    }
  });
}

}  // namespace recombine::cuda
