#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/softmax_cross_entropy.cuh"

namespace recombine::cuda {

namespace {

/// Narrow rows: a group of blockDim.x lanes keeps a row in registers. Memory is read once and written once.
template <int items>
__global__ void __launch_bounds__(kBlockThreads)
    softmax_narrow_kernel(SoftmaxCall call, LossSums* sums, Workspace workspace) {
  const int lanes = static_cast<int>(blockDim.x);
  const int lane = static_cast<int>(threadIdx.x);
  double loss = 0;
  double correct = 0;
  // Rows after the last row are empty, not skipped: all lanes of a warp must take part in its shuffles.
  for (std::int64_t first = std::int64_t{blockIdx.x} * blockDim.y; first < call.m;
       first += std::int64_t{gridDim.x} * blockDim.y) {
    const std::int64_t i = first + threadIdx.y;
    const int n = i < call.m ? static_cast<int>(call.n) : 0;
    const std::int64_t label = n > 0 ? call.label_of(i) : -1;
    float x[items];
    const NarrowRow narrow = narrow_row<items>(call.logits + (n > 0 ? i * call.logits_ld : 0), n, label, lanes, x);
    SoftmaxRow row = narrow.seen;
    row.finish();
    if (call.gradient) {
      const float factor = call.scale / row.sum;
#pragma unroll
      for (int e = 0; e < items; ++e) {
        const int j = lane + e * lanes;
        if (j < n) call.gradient[i * call.gradient_ld + j] = x[e] * factor - (j == label ? call.scale : 0);
      }
    }
    if (lane > 0 || n == 0) continue;
    loss += static_cast<double>(row.loss(call.is_column(label) ? narrow.label_logit : kNotANumber));
    correct += row.is_largest(label) ? 1 : 0;
  }
  add_losses(loss, correct, sums, workspace);
}

/// Wide rows: a block per row. The first read gives the maximum and the sum (Milakov and Gimelshein, "Online normalizer
/// calculation for softmax", 2018). The gradient needs a second read, mostly from the cache, and one write.
template <int width>
__global__ void __launch_bounds__(kBlockThreads)
    softmax_wide_kernel(SoftmaxCall call, LossSums* sums, Workspace workspace) {
  const std::int64_t packs = ceil_div(call.n, width);
  double loss = 0;
  double correct = 0;
  for (std::int64_t i = blockIdx.x; i < call.m; i += gridDim.x) {
    const float* const logits = call.logits + i * call.logits_ld;
    const std::int64_t label = call.label_of(i);
    const float right = call.is_column(label) ? logits[label] : kNotANumber;
    SoftmaxRow row = wide_row<width>(logits, call.n);
    row.finish();
    if (call.gradient) {
      const float factor = call.scale / row.sum;
      for (std::int64_t j = threadIdx.x; j < packs; j += blockDim.x) {
        const int count = pack_count<width>(call.n, j);
        Pack<float, width> x = load_pack<width>(logits + j * width, count);
#pragma unroll
        for (int e = 0; e < width; ++e) {
          x.at[e] = expf(x.at[e] - row.largest) * factor - (j * width + e == label ? call.scale : 0);
        }
        store_pack<width>(call.gradient + i * call.gradient_ld + j * width, x, count);
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
          .gradient = loss.gradient.as<float>(),
          .gradient_ld = loss.gradient.ld,
          .m = loss.logits.rows,
          .n = loss.logits.cols,
          .scale = loss.gradient_scale};
}

template <int items>
void narrow(const Launch& launch, const SoftmaxCrossEntropy& loss) {
  unsigned lanes = 1;
  while (lanes < kWarp && lanes < loss.logits.cols) lanes *= 2;
  const dim3 threads(lanes, kBlockThreads / lanes);
  const std::int64_t blocks = std::min(ceil_div(loss.logits.rows, threads.y), kMostLossParts);
  softmax_narrow_kernel<items>
      <<<static_cast<unsigned>(blocks), threads, 0, launch.stream>>>(call_of(loss), loss.sums, launch.workspace);
  check_launch("softmax_cross_entropy");
}

template <int width>
void wide(const Launch& launch, const SoftmaxCrossEntropy& loss) {
  const std::int64_t blocks = std::min(loss.logits.rows, kMostLossParts);
  softmax_wide_kernel<width>
      <<<static_cast<unsigned>(blocks), kBlockThreads, 0, launch.stream>>>(call_of(loss), loss.sums, launch.workspace);
  check_launch("softmax_cross_entropy");
}

}  // namespace

void softmax_cross_entropy(const Launch& launch, const SoftmaxCrossEntropy& loss) {
  const std::int64_t n = loss.logits.cols;
  if (loss.logits.empty()) return;
  if (n <= kWarp) return narrow<1>(launch, loss);
  if (n <= 4 * kWarp) return narrow<4>(launch, loss);
  if (n <= kNarrow) return narrow<kNarrow / kWarp>(launch, loss);
  packs_fit_matrix(loss.logits) && packs_fit_matrix(loss.gradient) ? wide<kWide>(launch, loss) : wide<1>(launch, loss);
}

}  // namespace recombine::cuda
