#include <algorithm>
#include <array>
#include <limits>

#include "src/nn/lap.hpp"
#include "src/nn/trainer.hpp"

namespace recombine {

namespace {

/// None if the table has no rows.
std::optional<Score> score_of(Trainer& trainer, const DeviceTable& table) {
  return table.rows() > 0 ? std::optional(trainer.evaluate(table)) : std::nullopt;
}

}  // namespace

Score Trainer::evaluate(const DeviceTable& table) {
  TrainingControl none;
  return *evaluate(table, none);
}

std::optional<Score> Trainer::evaluate(const DeviceTable& table, TrainingControl& control) {
  Lap lap;
  const std::optional<Score> score = sum_scores(table, control);
  lap.add_to(time_.evaluation);
  return score;
}

Scores Trainer::evaluate_all() {
  return {.train = evaluate(train_), .validation = score_of(*this, validation_), .test = score_of(*this, test_)};
}

const DistMatrix& Trainer::forward(const DeviceTable& table, std::int64_t first) {
  const DistMatrix& x = model_.begin_batch(std::min(largest_batch(data_, options_), table.rows() - first));
  loader_.load(table.table(), data_.input(), x, {.first = first});
  return model_.forward();
}

std::optional<Score> Trainer::sum_scores(const DeviceTable& table, TrainingControl& control) {
  static constexpr std::array<double, 2> kZeros{};
  const Buffer scores(context_.device(), DataType::f64, 2);
  context_.device().copy(context_.compute(), scores.view(), vector_view(kZeros.data(), 2));
  for (std::int64_t begin = 0; begin < table.rows();) {
    if (control.stops_evaluation()) return std::nullopt;
    const DistMatrix& y = forward(table, begin);
    loss_.add(table.table(), loader_, y,
              {.kind = options_.loss, .sums = reinterpret_cast<LossSums*>(scores.view().data)});
    begin += y.rows();
  }
  const std::vector<double> sums = sum_over_ranks(context_, scores.view());
  const auto rows = static_cast<double>(table.rows());
  const double accuracy = data_.classes() > 0 ? sums[1] / rows : std::numeric_limits<double>::quiet_NaN();
  return Score{sums[0] / rows, accuracy};
}

}  // namespace recombine
