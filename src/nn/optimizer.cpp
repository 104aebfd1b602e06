#include "src/nn/optimizer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "distributed/recombine.hpp"
#include "kernels/error.hpp"

namespace recombine {

double RateSchedule::at(std::int64_t step) const {
  if (step < warmup) return lr * static_cast<double>(step + 1) / static_cast<double>(warmup);
  const double length = static_cast<double>(std::max<std::int64_t>(1, steps - warmup));
  const double done = std::min(1.0, static_cast<double>(step - warmup) / length);
  switch (kind) {
    case ScheduleKind::constant: return lr;
    case ScheduleKind::cosine: return lr * 0.5 * (1 + std::cos(std::numbers::pi * done));
    case ScheduleKind::step: return lr * std::pow(0.1, std::min(2.0, std::floor(done * 3)));
  }
  return lr;
}

int moments_of(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::sgd: return 0;
    case OptimizerKind::momentum: return 1;
    case OptimizerKind::adamw: return 2;
  }
  return 0;
}

std::string RateSchedule::to_string() const {
  const char* const name = kind == ScheduleKind::constant ? "constant"
                           : kind == ScheduleKind::cosine ? "cosine"
                                                          : "step";
  const std::string length = kind == ScheduleKind::constant ? "" : fmt::format(" over {} steps", steps);
  return fmt::format("{} from {}{}, after {} steps of warm-up", name, lr, length, warmup);
}

Optimizer::Optimizer(RankContext& context, Model& model, const OptimizerOptions& options, StepValues* values)
    : context_(context), model_(model), options_(options), values_(values) {
  const auto zeros = [&](Buffer& moment) {
    moment = Buffer(context.device(), DataType::f32, model.weights().size, MemoryUse::moments);
    context.math().axpby(context.compute(), 0, {}, 0, moment.view());
  };
  if (options.kind != OptimizerKind::sgd) zeros(first_moment_);
  if (options.kind == OptimizerKind::adamw) zeros(second_moment_);
  if (options.weight_decay > 0) {
    std::vector<std::int64_t> undecayed;
    for (const ParameterTensor& tensor : model.layout().tensors()) {
      if (!tensor.decays()) undecayed.insert(undecayed.end(), {tensor.range.begin, tensor.range.end});
    }
    const auto size = static_cast<std::int64_t>(undecayed.size());
    undecayed_ = Buffer(context.device(), DataType::i64, size);
    context.device().copy(context.compute(), undecayed_.view(), vector_view(undecayed.data(), size));
  }
  // Along i, every rank has the whole sum. Along j and k, one replica of each tensor counts.
  const Coord first{{context.coord()[Axis::i], 0, 0}};
  for (const ParameterTensor& tensor : model.layout().tensors()) {
    if (!in_one_replica(tensor.placement, context.coord(), first)) continue;
    if (!squared_here_.empty() && squared_here_.back().end == tensor.range.begin) {
      squared_here_.back().end = tensor.range.end;
    } else {
      squared_here_.push_back(tensor.range);
    }
  }
}

TrainedTensors Optimizer::tensors() const {
  TrainedTensors tensors{.layout = model_.layout(), .vectors = {model_.weights()}};
  if (options_.kind != OptimizerKind::sgd) tensors.vectors.push_back(first_moment());
  if (options_.kind == OptimizerKind::adamw) tensors.vectors.push_back(second_moment());
  return tensors;
}

void Optimizer::measure_norm() {
  double* const sum = &values_->clip_square_sum;
  for (const Range& range : squared_here_) {
    context_.math().add_square_sum(context_.compute(), model_.gradient().range(range.begin, range.end), sum);
  }
  static constexpr std::array kCutting = {Axis::j, Axis::k};
  sum_over_axes(context_, kCutting, vector_view(sum, 1), {.name = "sum gradient norm"});
}

void Optimizer::add_square_sum(double* sum) {
  if (clips()) {  // every rank has the whole sum
    if (context_.coord() == Coord{}) {
      context_.math().axpby(context_.compute(), 1, vector_view(&values_->clip_square_sum, 1), 1, vector_view(sum, 1));
    }
    return;
  }
  const int parts = context_.mesh().extent(Axis::i);
  for (const Range& range : squared_here_) {
    const Range own = ParameterLayout::shard(range, parts, context_.coord()[Axis::i]);
    context_.math().add_square_sum(context_.compute(), model_.gradient().range(own.begin, own.end), sum);
  }
}

void Optimizer::update(Stream& stream, Range range) {
  require(range.begin >= model_.summed_from(), "gradient elements {} to {} are updated before they are summed over i",
          range.begin, model_.summed_from());
  const auto part = [&](VectorView flat) { return flat.size == 0 ? flat : flat.range(range.begin, range.end); };
  context_.math().optimizer_step(stream, {.kind = options_.kind,
                                          .weights = part(model_.weights()),
                                          .gradient = part(model_.gradient()),
                                          .first_moment = part(first_moment_.view()),
                                          .second_moment = part(second_moment_.view()),
                                          .rounded_weights = part(model_.rounded_weights()),
                                          .rates = &values_->input.rates,
                                          .weight_decay = static_cast<float>(options_.weight_decay),
                                          .undecayed = undecayed_.view(),
                                          .first_weight = range.begin,
                                          .gradient_square_sum = clips() ? &values_->clip_square_sum : nullptr,
                                          .clip_norm = static_cast<float>(options_.clip_norm),
                                          .bad_weight = &values_->sums.bad_weight});
}

}  // namespace recombine
