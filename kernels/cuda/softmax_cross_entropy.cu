#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/softmax_rows.cuh"

namespace recombine::cuda {

namespace {

/// Wide rows: a block per row. The first read gives the maximum and the sum (Milakov and Gimelshein, "Online normalizer
/// calculation for softmax", 2018). The gradient needs a second read, mostly from the cache, and one write.
template <class Gradient, int width>
__global__ void __launch_bounds__(kBlockThreads)
    softmax_wide_kernel(SoftmaxCall call, GradientOut<Gradient> gradient, LossSums* sums, Workspace workspace) {
  const std::int64_t packs = ceil_div(call.n, width);
  double loss = 0;
  double correct = 0;
  for (std::int64_t i = blockIdx.x; i < call.m; i += gridDim.x) {
    const float* const logits = call.logits + i * call.logits_ld;
    const std::int64_t label = call.label_of(i);
    const float right = call.is_column(label) ? logits[label] : kNotANumber;
    SoftmaxRow row = wide_row<width>(logits, call.n);
    row.finish();
    if (gradient.at) {
      const float factor = call.scale / row.sum;
      for (std::int64_t j = threadIdx.x; j < packs; j += blockDim.x) {
        const int count = pack_count<width>(call.n, j);
        Pack<float, width> x = load_pack<width>(logits + j * width, count);
#pragma unroll
        for (int e = 0; e < width; ++e) {
          x.at[e] = expf(x.at[e] - row.largest) * factor - (j * width + e == label ? call.scale : 0);
        }
        store_pack<width>(gradient.at + i * gradient.ld + j * width, converted_pack<Gradient>(x), count);
      }
    }
    if (threadIdx.x > 0) continue;
    loss += static_cast<double>(row.loss(right));
    correct += row.is_largest(label) ? 1 : 0;
  }
  add_losses(loss, correct, sums, workspace);
}

SoftmaxCall call_of(const SoftmaxCrossEntropy& loss) {
  return {.logits = loss.logits.as<float>(),
          .logits_ld = loss.logits.ld,
          .labels = loss.labels.as<std::int32_t>(),
          .rows = loss.rows.as<std::int64_t>(),
          .m = loss.logits.rows,
          .n = loss.logits.cols,
          .scale = loss.gradient_scale};
}

unsigned blocks_for(std::int64_t rows, std::int64_t rows_of_block) {
  return static_cast<unsigned>(std::min(ceil_div(rows, rows_of_block), kMostLossParts));
}

template <class Gradient>
void narrow(const Launch& launch, const SoftmaxCrossEntropy& loss) {
  const NarrowTile tile = narrow_tile_of(loss.logits.cols);
  const std::size_t shared = static_cast<std::size_t>(kBlockThreads * tile.stride) * sizeof(float);
  softmax_narrow_kernel<Gradient>
      <<<blocks_for(loss.logits.rows, kBlockThreads), kBlockThreads, shared, launch.stream>>>(
          call_of(loss), gradient_out<Gradient>(loss.gradient), tile, loss.sums, launch.workspace);
}

template <class Gradient, int width, int packs>
void warp_per_row(const Launch& launch, const SoftmaxCrossEntropy& loss) {
  softmax_warp_kernel<Gradient, width, packs>
      <<<blocks_for(loss.logits.rows, kBlockWarps), kBlockThreads, 0, launch.stream>>>(
          call_of(loss), gradient_out<Gradient>(loss.gradient), loss.sums, launch.workspace);
}

template <class Gradient, int width>
void block_per_row(const Launch& launch, const SoftmaxCrossEntropy& loss) {
  softmax_wide_kernel<Gradient, width><<<blocks_for(loss.logits.rows, 1), kBlockThreads, 0, launch.stream>>>(
      call_of(loss), gradient_out<Gradient>(loss.gradient), loss.sums, launch.workspace);
}

template <class Gradient, int width>
void wider(const Launch& launch, const SoftmaxCrossEntropy& loss) {
  const std::int64_t n = loss.logits.cols;
  if (n <= 8 * kWarp) return warp_per_row<Gradient, width, 8 / width>(launch, loss);
  if constexpr (width > 1) {  // 32 single elements with their columns do not fit into the registers
    if (n <= 32 * kWarp) return warp_per_row<Gradient, width, 32 / width>(launch, loss);
  }
  block_per_row<Gradient, width>(launch, loss);
}

template <class Gradient>
void softmax_as(const Launch& launch, const SoftmaxCrossEntropy& loss) {
  const bool is_narrow = loss.logits.cols <= kMostNarrow && std::max(loss.logits.ld, loss.gradient.ld) <= kMostNarrowLd;
  if (is_narrow) return narrow<Gradient>(launch, loss);
  packs_fit_matrix(loss.logits) && packs_fit_matrix(loss.gradient) ? wider<Gradient, kWide>(launch, loss)
                                                                   : wider<Gradient, 1>(launch, loss);
}

}  // namespace

void softmax_cross_entropy(const Launch& launch, const SoftmaxCrossEntropy& loss) {
  if (loss.logits.empty()) return;
  with_gradient_type("softmax_cross_entropy", loss.gradient,
                     [&](auto element) { softmax_as<decltype(element)>(launch, loss); });
  check_launch("softmax_cross_entropy");
}

}  // namespace recombine::cuda
