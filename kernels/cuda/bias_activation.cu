#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"

namespace recombine::cuda {

namespace {

/// in and out may be the same matrix, so a thread reads a pack before it writes it.
template <Activation kind, class In, class Out, int width>
struct BiasActivationItem {
  const In* in;
  std::int64_t in_ld;
  const Out* bias;  // null: none
  Out* out;
  std::int64_t out_ld;
  std::int64_t cols;

  __device__ __forceinline__ void operator()(std::int64_t i, std::int64_t j) const {
    const int count = pack_count<width>(cols, j);
    Pack<float, width> x = converted_pack<float>(load_pack<width>(in + i * in_ld + j * width, count));
    if (bias) {
      const Pack<float, width> b = converted_pack<float>(load_pack<width>(bias + j * width, count));
#pragma unroll
      for (int e = 0; e < width; ++e) x.at[e] += b.at[e];
    }
#pragma unroll
    for (int e = 0; e < width; ++e) x.at[e] = activate<kind>(x.at[e]);
    store_pack<width>(out + i * out_ld + j * width, converted_pack<Out>(x), count);
  }
};

template <class In, class Out, int width>
void bias_activation_packs(cudaStream_t stream, const BiasActivation& call) {
  const Out* const bias = call.bias.size > 0 ? call.bias.as<Out>() : nullptr;
  with_activation(call.activation, [&](auto activation) {
    const BiasActivationItem<activation(), In, Out, width> item = {call.in.as<In>(),   call.in.ld,  bias,
                                                                   call.out.as<Out>(), call.out.ld, call.out.cols};
    for_elements(stream, "bias_activation", call.out.rows, ceil_div(call.out.cols, width), item);
  });
}

template <class In, class Out>
void bias_activation_as(cudaStream_t stream, const BiasActivation& call) {
  constexpr int kWidth = wide_of<Out>;
  const bool wide =
      packs_fit_matrix<kWidth>(call.in) && packs_fit_matrix<kWidth>(call.out) && packs_fit_vector<kWidth>(call.bias);
  wide ? bias_activation_packs<In, Out, kWidth>(stream, call) : bias_activation_packs<In, Out, 1>(stream, call);
}

}  // namespace

void bias_activation(cudaStream_t stream, const BiasActivation& call) {
  if (call.out.type == DataType::f32) return bias_activation_as<float, float>(stream, call);
  call.in.type == DataType::f32 ? bias_activation_as<float, BFloat16>(stream, call)
                                : bias_activation_as<BFloat16, BFloat16>(stream, call);
}

}  // namespace recombine::cuda
