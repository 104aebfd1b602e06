#include "src/nn/step_ring.hpp"

#include <cmath>
#include <cstddef>
#include <utility>

#include "distributed/recombine.hpp"

namespace recombine {

namespace {

constexpr std::int64_t doubles_in(std::size_t bytes) { return static_cast<std::int64_t>(bytes / sizeof(double)); }

constexpr std::int64_t kSums = doubles_in(sizeof(StepSums));

}  // namespace

std::vector<double> sum_over_ranks(RankContext& context, VectorView values) {
  sum_over_axes(context, kAxes, values, {.name = "sum losses"});
  std::vector<double> sums(static_cast<std::size_t>(values.size));
  context.device().copy(context.compute(), vector_view(sums.data(), values.size), values);
  context.compute().synchronize();
  return sums;
}

StepRing::StepRing(RankContext& context)
    : context_(context),
      inputs_(Buffer::on_host(context.device(), DataType::u8, sizeof(StepInput) * kMostSteps)),
      current_(context.device(), DataType::f64, doubles_in(sizeof(StepValues))),
      results_(context.device(), DataType::f64, kSums * kMostSteps) {
  restart();
}

void StepRing::restart() {
  context_.math().axpby(context_.compute(), 0, {}, 0, current_.view());  // zeros
  steps_.clear();
}

void StepRing::push(const StepInput& input) {
  Event& oldest = ends_[steps_.size() % kMostAhead];
  if (oldest) std::exchange(oldest, nullptr)->synchronize();
  inputs()[steps_.size()] = input;
}

void StepRing::begin() {
  context_.math().begin_step(context_.compute(), {.inputs = inputs(),
                                                  .results = reinterpret_cast<StepSums*>(results_.view().data),
                                                  .slots = kMostSteps,
                                                  .values = current()});
}

void StepRing::add(const StepRecord& step) {
  ends_[steps_.size() % kMostAhead] = context_.compute().record();
  steps_.push_back(step);
}

std::vector<StepRecord> StepRing::flush() {
  const auto count = static_cast<std::int64_t>(steps_.size());
  const std::int64_t sums_begin = doubles_in(offsetof(StepValues, sums));
  context_.device().copy(context_.compute(), results_.view().range(kSums * (count - 1), kSums * count),
                         current_.view().range(sums_begin, sums_begin + kSums));
  const VectorView results = results_.view().range(0, kSums * count);
  std::vector<double> own(static_cast<std::size_t>(results.size));
  context_.device().copy(context_.compute(), vector_view(own.data(), results.size), results);
  const std::vector<double> sums = sum_over_ranks(context_, results);
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    const StepSums& step = reinterpret_cast<const StepSums*>(sums.data())[s];
    steps_[s].train_loss = step.loss.loss_sum / static_cast<double>(steps_[s].rows);
    steps_[s].finite_weights = step.bad_weight == 0;
    steps_[s].bad_outputs = reinterpret_cast<const StepSums*>(own.data())[s].bad_outputs;
    steps_[s].bad_weight = reinterpret_cast<const StepSums*>(own.data())[s].bad_weight;
    if (steps_[s].gradient_norm) steps_[s].gradient_norm = std::sqrt(step.gradient_square_sum);
  }
  std::vector<StepRecord> flushed = std::exchange(steps_, {});
  restart();
  return flushed;
}

void StepRing::discard() {
  context_.compute().synchronize();
  restart();
}

}  // namespace recombine
