#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/column_sums.cuh"
#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/reduce.cuh"
#include "kernels/math_checks.hpp"

namespace recombine::cuda {

namespace {

/// gradient = incoming * activation'(saved); gradient may be incoming. Returns the pack that it has written, for column
/// sums.   Stored: the type of saved and gradient; In: the type of incoming
template <Activation kind, class Stored, class In, int width>
struct GradientItem {
  const Stored* saved;
  std::int64_t saved_ld;
  const In* incoming;
  std::int64_t incoming_ld;
  Stored* gradient;
  std::int64_t gradient_ld;
  std::int64_t cols;
  double* bad_saved;  // null: saved is not checked
  double bad_mark;

  __device__ __forceinline__ Pack<float, width> operator()(std::int64_t i, std::int64_t pack, int count) const {
    Pack<float, width> g = converted_pack<float>(load_pack<width>(incoming + i * incoming_ld + pack * width, count));
    if (kind != Activation::identity || bad_saved) {
      const Pack<float, width> y = converted_pack<float>(load_pack<width>(saved + i * saved_ld + pack * width, count));
#pragma unroll
      for (int e = 0; e < width; ++e) g.at[e] *= derivative<kind>(y.at[e]);
      if (bad_saved) check(y);
    }
    const Pack<Stored, width> rounded = converted_pack<Stored>(g);
    store_pack<width>(gradient + i * gradient_ld + pack * width, rounded, count);
    return converted_pack<float>(rounded);
  }

  __device__ __forceinline__ void check(const Pack<float, width>& y) const {
    bool finite = true;
#pragma unroll
    for (int e = 0; e < width; ++e) finite = finite && is_finite(y.at[e]);
    if (!finite) raise_to(bad_saved, bad_mark);
  }

  __device__ __forceinline__ void operator()(std::int64_t i, std::int64_t pack) const {
    (*this)(i, pack, pack_count<width>(cols, pack));
  }
};

ColumnSums sums_of(const ActivationGradient& call) {
  return {call.gradient.rows, call.gradient.cols, call.bias_gradient.as<float>(), call.beta};
}

template <class Stored, class In, int width>
void gradient_packs(const Launch& launch, const ActivationGradient& call) {
  const MatrixView& g = call.gradient;
  const ConstMatrixView incoming = incoming_of(call);
  with_activation(call.activation, [&](auto activation) {
    const GradientItem<activation(), Stored, In, width> item = {
        call.saved.as<Stored>(), call.saved.ld, incoming.as<In>(), incoming.ld, g.as<Stored>(), g.ld, g.cols,
        call.bad_saved,          call.bad_mark};
    if (call.bias_gradient.size > 0) {
      sum_columns<width>(launch, "activation_gradient", sums_of(call), item);
    } else {
      for_elements(launch.stream, "activation_gradient", g.rows, ceil_div(g.cols, width), item);
    }
  });
}

template <class Stored, class In>
void gradient_as(const Launch& launch, const ActivationGradient& call) {
  constexpr int kWidth = wide_of<Stored>;
  const bool wide = packs_fit_matrix<kWidth>(call.saved) && packs_fit_matrix<kWidth>(incoming_of(call)) &&
                    packs_fit_matrix<kWidth>(call.gradient);
  wide ? gradient_packs<Stored, In, kWidth>(launch, call) : gradient_packs<Stored, In, 1>(launch, call);
}

/// The column sums of the unchanged gradient.
template <class T>
void sum_gradient(const Launch& launch, const ActivationGradient& call) {
  constexpr int kWidth = wide_of<T>;
  const MatrixView& g = call.gradient;
  packs_fit_matrix<kWidth>(g)
      ? sum_columns<kWidth>(launch, "activation_gradient", sums_of(call), MatrixItem<T, kWidth>{g.as<T>(), g.ld})
      : sum_columns<1>(launch, "activation_gradient", sums_of(call), MatrixItem<T, 1>{g.as<T>(), g.ld});
}

}  // namespace

void activation_gradient(const Launch& launch, const ActivationGradient& call) {
  const bool f32 = call.gradient.type == DataType::f32;
  const bool unchanged = call.activation == Activation::identity && incoming_of(call).data == call.gradient.data;
  if (unchanged && !call.bad_saved) {
    if (call.bias_gradient.size == 0) return;
    return f32 ? sum_gradient<float>(launch, call) : sum_gradient<BFloat16>(launch, call);
  }
  if (f32) return gradient_as<float, float>(launch, call);
  incoming_of(call).type == DataType::f32 ? gradient_as<BFloat16, float>(launch, call)
                                          : gradient_as<BFloat16, BFloat16>(launch, call);
}

}  // namespace recombine::cuda
