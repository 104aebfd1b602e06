#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/loss_parts.cuh"
#include "kernels/math_checks.hpp"

namespace recombine::cuda {

namespace {

struct SquaredErrorCall {
  const float* outputs;
  std::int64_t outputs_ld;
  const float* targets;
  std::int64_t targets_ld;
  const std::int64_t* rows;
  float* gradient;  // null: not computed
  std::int64_t gradient_ld;
  std::int64_t m;
  std::int64_t n;
  std::int64_t global_cols;
  float factor;  // gradient = factor * (output - target): 2 / global_cols * gradient_scale
};

/// One pass: the gradient needs no sum over the row.
template <int width>
__global__ void __launch_bounds__(kBlockThreads)
    squared_error_kernel(SquaredErrorCall call, LossSums* sums, Workspace workspace) {
  double sum = 0;
  for_items(call.m, ceil_div(call.n, width), [&](std::int64_t i, std::int64_t j) {
    const int count = pack_count<width>(call.n, j);
    const Pack<float, width> y = load_pack<width>(call.outputs + i * call.outputs_ld + j * width, count);
    const Pack<float, width> t = load_pack<width>(call.targets + call.rows[i] * call.targets_ld + j * width, count);
    Pack<float, width> error;
    float squares = 0;
#pragma unroll
    for (int e = 0; e < width; ++e) {
      error.at[e] = y.at[e] - t.at[e];
      squares += error.at[e] * error.at[e];
      error.at[e] *= call.factor;
    }
    sum += static_cast<double>(squares);
    if (call.gradient) store_pack<width>(call.gradient + i * call.gradient_ld + j * width, error, count);
  });
  add_losses(sum / static_cast<double>(call.global_cols), 0, sums, workspace);
}

template <int width>
void squared_error_packs(const Launch& launch, const SquaredError& loss, const ConstMatrixView& targets) {
  const std::int64_t n = loss.outputs.cols;
  const std::int64_t global_cols = columns_of(loss);
  const SquaredErrorCall call = {loss.outputs.as<float>(),
                                 loss.outputs.ld,
                                 targets.as<float>(),
                                 targets.ld,
                                 loss.rows.as<std::int64_t>(),
                                 loss.gradient.as<float>(),
                                 loss.gradient.ld,
                                 loss.outputs.rows,
                                 n,
                                 global_cols,
                                 2 * loss.gradient_scale / static_cast<float>(global_cols)};
  const Tiling tiling = tiling_of(call.m, ceil_div(n, width), kMostLossParts);
  squared_error_kernel<width><<<tiling.blocks, tiling.threads, 0, launch.stream>>>(call, loss.sums, launch.workspace);
  check_launch("squared_error");
}

}  // namespace

void squared_error(const Launch& launch, const SquaredError& loss) {
  if (loss.outputs.empty()) return;
  const ConstMatrixView targets = loss.targets.block(0, loss.first_col, loss.targets.rows, loss.outputs.cols);
  const bool wide = packs_fit_matrix(loss.outputs) && packs_fit_matrix(targets) && packs_fit_matrix(loss.gradient);
  wide ? squared_error_packs<kWide>(launch, loss, targets) : squared_error_packs<1>(launch, loss, targets);
}

}  // namespace recombine::cuda
