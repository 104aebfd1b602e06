#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/loss_parts.cuh"
#include "kernels/math_checks.hpp"

namespace recombine::cuda {

namespace {

/// Loss and gradient in one pass: the gradient needs no sum over the row.
template <class Gradient, int width>
struct SquaredErrorItem {
  static constexpr int kWidth = width;
  const float* outputs;
  std::int64_t outputs_ld;
  const float* targets;
  std::int64_t targets_ld;
  const std::int64_t* rows;
  Gradient* gradient;  // null: not computed
  std::int64_t gradient_ld;
  float factor;  // gradient = factor * (output - target): 2 / global_cols * gradient_scale
  double sum = 0;

  struct Loaded {
    Pack<float, width> output;
    Pack<float, width> target;
  };

  __device__ __forceinline__ Loaded load(std::int64_t i, std::int64_t pack, int count) const {
    return {load_pack<width>(outputs + i * outputs_ld + pack * width, count),
            load_pack<width>(targets + rows[i] * targets_ld + pack * width, count)};
  }

  __device__ __forceinline__ void store(std::int64_t i, std::int64_t pack, int count, const Loaded& loaded) {
    Pack<float, width> error;
    float squares = 0;
#pragma unroll
    for (int e = 0; e < width; ++e) {
      error.at[e] = loaded.output.at[e] - loaded.target.at[e];
      squares += error.at[e] * error.at[e];
      error.at[e] *= factor;
    }
    sum += static_cast<double>(squares);
    if (gradient) store_pack<width>(gradient + i * gradient_ld + pack * width, converted_pack<Gradient>(error), count);
  }
};

template <class Item>
__global__ void __launch_bounds__(kBlockThreads, kBlocksInFlight)
    squared_error_kernel(std::int64_t m, std::int64_t n, Item item, double columns, LossSums* sums,
                         Workspace workspace) {
  stream_packs(m, n, item);
  add_losses(item.sum / columns, 0, sums, workspace);
}

template <class Gradient, int width>
void squared_error_packs(const Launch& launch, const SquaredError& loss, const ConstMatrixView& targets) {
  constexpr std::int64_t kEnoughBlocks = 512;  // the same on every GPU, so the bits are the same
  const ConstMatrixView& outputs = loss.outputs;
  const std::int64_t columns = columns_of(loss);
  const SquaredErrorItem<Gradient, width> item = {.outputs = outputs.as<float>(),
                                                  .outputs_ld = outputs.ld,
                                                  .targets = targets.as<float>(),
                                                  .targets_ld = targets.ld,
                                                  .rows = loss.rows.as<std::int64_t>(),
                                                  .gradient = loss.gradient.as<Gradient>(),
                                                  .gradient_ld = loss.gradient.ld,
                                                  .factor = 2 * loss.gradient_scale / static_cast<float>(columns)};
  const Tiling tiling = pack_tiling_of(outputs.rows, ceil_div(outputs.cols, width), kEnoughBlocks, kMostLossParts);
  squared_error_kernel<<<tiling.blocks, tiling.threads, 0, launch.stream>>>(
      outputs.rows, outputs.cols, item, static_cast<double>(columns), loss.sums, launch.workspace);
  check_launch("squared_error");
}

}  // namespace

void squared_error(const Launch& launch, const SquaredError& loss) {
  if (loss.outputs.empty()) return;
  const ConstMatrixView targets = loss.targets.block(0, loss.first_col, loss.targets.rows, loss.outputs.cols);
  const bool wide = packs_fit_matrix(loss.outputs) && packs_fit_matrix(targets) && packs_fit_matrix(loss.gradient);
  with_gradient_type("squared_error", loss.gradient, [&](auto element) {
    using Gradient = decltype(element);
    wide ? squared_error_packs<Gradient, kWide>(launch, loss, targets)
         : squared_error_packs<Gradient, 1>(launch, loss, targets);
  });
}

}  // namespace recombine::cuda
