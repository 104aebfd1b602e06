#include "src/report/batching_figures.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace recombine {

using nlohmann::ordered_json;

namespace {

/// Larger networks have too many weights to show: --save of a single run has them.
constexpr std::size_t kMostWeights = 1000;

ordered_json to_json(const BatchingRun& run, double until) {
  ordered_json epochs = ordered_json::array(), seconds = epochs, losses = epochs;
  for (std::size_t epoch = 0; epoch < run.curve.size(); ++epoch) {
    epochs.push_back(epoch);
    seconds.push_back(run.curve[epoch].seconds);
    losses.push_back(run.curve[epoch].loss);
  }
  const std::optional<std::int64_t> reached = run.epochs_until(until);
  const bool small = run.weights.size() <= kMostWeights;
  return {
      {"strategy", run.strategy},
      {"rows_per_update", run.rows_per_update},
      {"updates_per_epoch", run.updates_per_epoch},
      {"train_loss", run.curve.back().loss},
      {"lowest_loss", run.lowest_loss()},
      {"epochs_until", reached ? ordered_json(*reached) : ordered_json()},
      {"seconds_until", reached ? ordered_json(run.curve[static_cast<std::size_t>(*reached)].seconds) : ordered_json()},
      {"seconds", run.curve.back().seconds},
      {"samples_per_second", run.samples_per_second},
      {"rise", run.rise ? ordered_json(*run.rise) : ordered_json()},
      {"weights_norm", norm_of(run.weights)},
      {"weights", small ? ordered_json(run.weights) : ordered_json()},
      {"curve", {{"epoch", epochs}, {"seconds", seconds}, {"train_loss", losses}}}};
}

}  // namespace

double BatchingRun::lowest_loss() const { return std::ranges::min_element(curve, {}, &EpochPoint::loss)->loss; }

std::optional<std::int64_t> BatchingRun::epochs_until(double loss) const {
  const auto found = std::ranges::find_if(curve, [&](const EpochPoint& point) { return point.loss <= loss; });
  return found == curve.end() ? std::nullopt : std::optional<std::int64_t>(found - curve.begin());
}

double rounded_up(double value, int digits) {
  if (!(value > 0)) return value;
  const int exponent = digits - 1 - static_cast<int>(std::floor(std::log10(value)));
  const double unit = std::pow(10.0, std::abs(exponent));  // exact, unlike its inverse
  const double rounded = exponent < 0 ? std::ceil(value / unit) * unit : std::ceil(value * unit) / unit;
  return std::max(rounded, value);
}

double BatchingComparison::until_loss() const {
  static constexpr int kDigits = 3, kMostDigits = 9;
  static constexpr double kRest = 0.01;
  if (asked_loss) return *asked_loss;
  const double first = runs.front().curve.front().loss;
  double last = 0, lowest = 0;
  for (const BatchingRun& run : runs) {
    last = std::max(last, run.curve.back().loss);
    lowest = std::max(lowest, run.lowest_loss());
  }
  const double loss = last < first ? last + kRest * (first - last) : lowest;
  int digits = kDigits;
  while (digits < kMostDigits && rounded_up(loss, digits) >= first) ++digits;
  return rounded_up(loss, digits);
}

double norm_of(const std::vector<float>& weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight * weight;
  return std::sqrt(sum);
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t n = 0; n < a.size(); ++n) sum += std::pow(static_cast<double>(a[n]) - b[n], 2);
  return std::sqrt(sum);
}

std::string comparison_json(const BatchingComparison& comparison) {
  const double until = comparison.until_loss();
  ordered_json runs = ordered_json::array();
  for (const BatchingRun& run : comparison.runs) runs.push_back(to_json(run, until));
  ordered_json all{{"np", comparison.np},
                   {"mesh", comparison.mesh.to_string()},
                   {"device", comparison.device},
                   {"threads", comparison.threads},
                   {"data", comparison.data},
                   {"model", comparison.model},
                   {"parameters", comparison.parameters},
                   {"load", comparison.loaded.empty() ? ordered_json() : ordered_json(comparison.loaded)},
                   {"rows", comparison.rows},
                   {"epochs", comparison.epochs},
                   {"optimizer", comparison.optimizer},
                   {"lr", comparison.lr},
                   {"lr_schedule", comparison.schedule},
                   {"seed", comparison.seed},
                   {"until_loss", until},
                   {"runs", runs}};
  all.update(recombine::to_json(comparison.provenance));
  return all.dump(2) + "\n";
}

}  // namespace recombine
