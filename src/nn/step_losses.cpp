#include "src/nn/step_losses.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "distributed/recombine.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kDoubles = sizeof(StepLosses::StepSums) / sizeof(double);

}  // namespace

std::vector<double> sum_over_ranks(RankContext& context, VectorView values) {
  sum_over_axes(context, kAxes, values, {.name = "sum losses"});
  std::vector<double> sums(static_cast<std::size_t>(values.size));
  context.device().copy(context.compute(), vector_view(sums.data(), values.size), values);
  context.compute().synchronize();
  return sums;
}

StepLosses::StepLosses(RankContext& context)
    : context_(context), sums_(context.device(), DataType::f64, kDoubles * kMostSteps) {}

StepLosses::StepSums* StepLosses::next() {
  static constexpr std::array<double, kDoubles * kMostSteps> kZeros{};
  if (steps_.empty())
    context_.device().copy(context_.compute(), sums_.view(), vector_view(kZeros.data(), kZeros.size()));
  return reinterpret_cast<StepSums*>(sums_.view().data) + steps_.size();
}

std::vector<StepRecord> StepLosses::flush() {
  const auto count = static_cast<std::int64_t>(steps_.size());
  const std::vector<double> sums = sum_over_ranks(context_, sums_.view().range(0, kDoubles * count));
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    const StepSums& step = reinterpret_cast<const StepSums*>(sums.data())[s];
    steps_[s].train_loss = step.loss.loss_sum / static_cast<double>(steps_[s].rows);
    steps_[s].finite_weights = step.diverged == 0;
    if (steps_[s].gradient_norm) steps_[s].gradient_norm = std::sqrt(step.gradient_square_sum);
  }
  return std::exchange(steps_, {});
}

}  // namespace recombine
