#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"

namespace recombine::cuda {

namespace {

/// in and out may be the same matrix, so a thread reads a pack before it writes it.
template <Activation kind, int width>
struct BiasActivationItem {
  const float* in;
  std::int64_t in_ld;
  const float* bias;  // null: none
  float* out;
  std::int64_t out_ld;
  std::int64_t cols;

  __device__ __forceinline__ void operator()(std::int64_t i, std::int64_t j) const {
    const int count = pack_count<width>(cols, j);
    Pack<float, width> x = load_pack<width>(in + i * in_ld + j * width, count);
    if (bias) {
      const Pack<float, width> b = load_pack<width>(bias + j * width, count);
#pragma unroll
      for (int e = 0; e < width; ++e) x.at[e] += b.at[e];
    }
#pragma unroll
    for (int e = 0; e < width; ++e) x.at[e] = activate<kind>(x.at[e]);
    store_pack<width>(out + i * out_ld + j * width, x, count);
  }
};

template <Activation kind, int width>
void bias_activation_packs(cudaStream_t stream, const BiasActivation& call) {
  const float* const bias = call.bias.size > 0 ? call.bias.as<float>() : nullptr;
  const BiasActivationItem<kind, width> item = {call.in.as<float>(),  call.in.ld,  bias,
                                                call.out.as<float>(), call.out.ld, call.out.cols};
  for_elements(stream, "bias_activation", call.out.rows, ceil_div(call.out.cols, width), item);
}

}  // namespace

void bias_activation(cudaStream_t stream, const BiasActivation& call) {
  const bool wide = packs_fit_matrix(call.in) && packs_fit_matrix(call.out) && packs_fit_vector(call.bias);
  with_activation(call.activation, [&](auto activation) {
    wide ? bias_activation_packs<activation(), kWide>(stream, call)
         : bias_activation_packs<activation(), 1>(stream, call);
  });
}

}  // namespace recombine::cuda
