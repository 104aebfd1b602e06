#include "src/nn/divergence.hpp"

#include <cmath>
#include <optional>

#include "kernels/error.hpp"

namespace recombine {

namespace {

/// The largest n for which one or more ranks set marks[n].
std::optional<std::size_t> largest_mark(RankContext& context, const std::vector<double>& marks) {
  const auto size = static_cast<std::int64_t>(marks.size());
  const Buffer buffer(context.device(), DataType::f64, size);
  context.device().copy(context.compute(), buffer.view(), vector_view(marks.data(), size));
  const std::vector<double> ranks = sum_over_ranks(context, buffer.view());
  for (std::size_t n = ranks.size(); n-- > 0;) {
    if (ranks[n] > 0) return n;
  }
  return {};
}

/// The first hidden layer with outputs that are not finite.
std::optional<std::size_t> first_bad_layer(RankContext& context, std::size_t layers, const StepRecord& step) {
  std::vector<double> marks(layers + 1);
  if (step.bad_outputs > 0) marks.at(static_cast<std::size_t>(step.bad_outputs)) = 1;
  const std::optional<std::size_t> mark = largest_mark(context, marks);
  return mark ? std::optional(layers - *mark) : std::nullopt;
}

/// The last tensor with a new weight that is not finite.
const ParameterTensor* last_bad_tensor(RankContext& context, const ParameterLayout& layout, const StepRecord& step) {
  std::vector<double> marks(layout.tensors().size());
  const auto flat = static_cast<std::int64_t>(step.bad_weight) - 1;
  for (std::size_t t = 0; t < marks.size(); ++t) {
    const Range range = layout.tensors()[t].range;
    if (range.begin <= flat && flat < range.end) marks[t] = 1;
  }
  const std::optional<std::size_t> tensor = largest_mark(context, marks);
  return tensor ? &layout.tensors()[*tensor] : nullptr;
}

}  // namespace

std::string describe_divergence(RankContext& context, const ParameterLayout& layout, const StepRecord& step,
                                const DivergenceAdvice& advice) {
  const std::size_t layers = layout.tensors().back().layer + 1;
  const std::optional<std::size_t> layer = first_bad_layer(context, layers, step);
  const ParameterTensor* const tensor = last_bad_tensor(context, layout, step);
  const bool bad_loss = !std::isfinite(step.train_loss);
  const std::string what = bad_loss ? fmt::format("the loss is {}", std::isnan(step.train_loss) ? "NaN" : "infinite")
                                    : "a weight or bias is NaN or infinite after it";
  std::string began;
  if (layer) {
    began = fmt::format(", which began in the outputs of layers.{}", *layer);
  } else if (bad_loss) {
    began = fmt::format(", which began in the outputs of layers.{}, the last layer, or in the loss itself", layers - 1);
  } else if (tensor) {
    began = fmt::format(", which began in {}", tensor->name);
  }
  if (bad_loss && step.step == 1) {  // the rate has had no effect yet
    const std::string remedy = advice.remedy.find("--standardize") != std::string::npos
                                   ? advice.remedy
                                   : "smaller features (--standardize) or other weights";
    return fmt::format("--data: training diverged at step 1: {} before the first update{}; expected {}", what, began,
                       remedy);
  }
  return fmt::format("--lr {}: training diverged at step {}: {}{}; expected {}", advice.lr, step.step, what, began,
                     advice.remedy);
}

}  // namespace recombine
