#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/softmax_cross_entropy.cuh"

namespace recombine::cuda {

namespace {

/// A SoftmaxCall for one part: logits and gradient are this part's columns.
struct PartsCall {
  SoftmaxCall softmax;
  std::int64_t first_col;

  /// The label as a column of this part; < 0 or >= n if another part has it.
  __device__ __forceinline__ std::int64_t label_of(std::int64_t row) const { return softmax.label_of(row) - first_col; }

  __device__ __forceinline__ SoftmaxRowStats stats_of(const SoftmaxRow& row, float label_logit) const {
    const bool lowest = row.at == kNoColumn;
    return {row.largest, row.sum, lowest ? INT32_MAX : static_cast<std::int32_t>(first_col + row.at), label_logit};
  }
};

template <int items>
__global__ void __launch_bounds__(kBlockThreads) stats_narrow_kernel(PartsCall call, SoftmaxRowStats* stats) {
  const SoftmaxCall& softmax = call.softmax;
  const int lanes = static_cast<int>(blockDim.x);
  // Rows after the last row are empty, not skipped: all lanes of a warp must take part in its shuffles.
  for (std::int64_t first = std::int64_t{blockIdx.x} * blockDim.y; first < softmax.m;
       first += std::int64_t{gridDim.x} * blockDim.y) {
    const std::int64_t i = first + threadIdx.y;
    const bool inside = i < softmax.m;
    const std::int64_t label = inside ? call.label_of(i) : -1;
    float x[items];
    const NarrowRow row = narrow_row<items>(softmax.logits + (inside ? i * softmax.logits_ld : 0),
                                            inside ? static_cast<int>(softmax.n) : 0, label, lanes, x);
    if (threadIdx.x > 0 || !inside) continue;
    stats[i] = call.stats_of(row.seen, softmax.is_column(label) ? row.label_logit : kLowest);
  }
}

template <int width>
__global__ void __launch_bounds__(kBlockThreads) stats_wide_kernel(PartsCall call, SoftmaxRowStats* stats) {
  const SoftmaxCall& softmax = call.softmax;
  for (std::int64_t i = blockIdx.x; i < softmax.m; i += gridDim.x) {
    const float* const logits = softmax.logits + i * softmax.logits_ld;
    const SoftmaxRow row = wide_row<width>(logits, softmax.n);
    if (threadIdx.x > 0) continue;
    const std::int64_t label = call.label_of(i);
    stats[i] = call.stats_of(row, softmax.is_column(label) ? logits[label] : kLowest);
  }
}

/// blockDim.x threads per row. Each thread joins all parts of the row: they are few, and one load serves a
/// whole warp.
template <class Gradient>
__global__ void __launch_bounds__(kBlockThreads)
    from_stats_kernel(PartsCall call, GradientOut<Gradient> gradient, const SoftmaxRowStats* stats,
                      std::int64_t stats_parts, LossSums* sums, Workspace workspace) {
  const SoftmaxCall& softmax = call.softmax;
  double loss = 0;
  double correct = 0;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.y + threadIdx.y; i < softmax.m;
       i += std::int64_t{gridDim.x} * blockDim.y) {
    SoftmaxRow row;
    float label_logit = kLowest;
    for (std::int64_t p = 0; p < stats_parts; ++p) {
      const SoftmaxRowStats part = stats[p * softmax.m + i];
      row.join({part.largest, part.at, part.sum});
      label_logit = fmaxf(label_logit, part.label_logit);
    }
    row.finish();
    const std::int64_t label = call.label_of(i);
    if (gradient.at) {
      const float factor = softmax.scale / row.sum;
      for (std::int64_t j = threadIdx.x; j < softmax.n; j += blockDim.x) {
        const float x = expf(softmax.logits[i * softmax.logits_ld + j] - row.largest);
        gradient.at[i * gradient.ld + j] = converted<Gradient>(x * factor - (j == label ? softmax.scale : 0));
      }
    }
    if (threadIdx.x > 0) continue;
    loss += static_cast<double>(row.loss(label_logit));
    correct += row.is_largest(label + call.first_col) ? 1 : 0;
  }
  add_losses(loss, correct, sums, workspace);
}

PartsCall call_of(const SoftmaxStats& call) {
  return {.softmax = {.logits = call.logits.as<float>(),
                      .logits_ld = call.logits.ld,
                      .labels = call.labels.as<std::int32_t>(),
                      .rows = call.rows.as<std::int64_t>(),
                      .m = call.logits.rows,
                      .n = call.logits.cols,
                      .scale = 1},
          .first_col = call.first_col};
}

/// The smallest power of two that is at least n, or `most` if that is smaller.
unsigned threads_of_row(std::int64_t n, unsigned most) {
  unsigned threads = 1;
  while (threads < most && threads < n) threads *= 2;
  return threads;
}

template <int items>
void stats_narrow(cudaStream_t stream, const SoftmaxStats& call) {
  const unsigned lanes = threads_of_row(call.logits.cols, kWarp);
  const dim3 threads(lanes, kBlockThreads / lanes);
  const std::int64_t blocks = std::min(ceil_div(call.logits.rows, threads.y), kMostLossParts);
  stats_narrow_kernel<items><<<static_cast<unsigned>(blocks), threads, 0, stream>>>(call_of(call), call.stats);
  check_launch("softmax_stats");
}

template <int width>
void stats_wide(cudaStream_t stream, const SoftmaxStats& call) {
  const std::int64_t blocks = std::min(call.logits.rows, kMostLossParts);
  stats_wide_kernel<width><<<static_cast<unsigned>(blocks), kBlockThreads, 0, stream>>>(call_of(call), call.stats);
  check_launch("softmax_stats");
}

}  // namespace

void softmax_stats(cudaStream_t stream, const SoftmaxStats& call) {
  const std::int64_t n = call.logits.cols;
  if (call.logits.rows == 0) return;
  if (n <= kWarp) return stats_narrow<1>(stream, call);
  if (n <= 4 * kWarp) return stats_narrow<4>(stream, call);
  if (n <= kNarrow) return stats_narrow<kNarrow / kWarp>(stream, call);
  packs_fit_matrix(call.logits) ? stats_wide<kWide>(stream, call) : stats_wide<1>(stream, call);
}

void softmax_from_stats(const Launch& launch, const SoftmaxFromStats& loss) {
  if (loss.logits.rows == 0) return;
  PartsCall call =
      call_of({.logits = loss.logits, .labels = loss.labels, .rows = loss.rows, .first_col = loss.first_col});
  call.softmax.scale = loss.gradient_scale;
  const unsigned across = threads_of_row(loss.logits.cols, kBlockThreads);
  const dim3 threads(across, kBlockThreads / across);
  const std::int64_t blocks = std::min(ceil_div(loss.logits.rows, threads.y), kMostLossParts);
  with_gradient_type("softmax_from_stats", loss.gradient, [&](auto element) {
    from_stats_kernel<<<static_cast<unsigned>(blocks), threads, 0, launch.stream>>>(
        call, gradient_out<decltype(element)>(loss.gradient), loss.stats, loss.parts, loss.sums, launch.workspace);
  });
  check_launch("softmax_from_stats");
}

}  // namespace recombine::cuda
