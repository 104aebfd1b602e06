#include "src/train/defaults.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernels/ceil_div.hpp"

namespace recombine {

namespace {

using Kind = DataFacts::Kind;

constexpr std::int64_t kManyRows = 20'000;

/// Few rows cannot determine many weights: a second layer pays from about 20,000 rows on, a wide one from 100,000.
/// Images need two layers: their inputs are not standardized, and may be as small as 16 / 255.
std::vector<std::int64_t> hidden_for(const DataFacts& facts) {
  if (!defaults_depend_on_rows(facts)) return {1024, 1024};
  if (facts.kind == Kind::images) return {256, 256};
  if (facts.rows < kManyRows) return {128};
  if (facts.rows < 100'000) return {128, 128};
  return {256, 256};
}

/// At least 16 batches per epoch, unless they would have less than 16 rows.
std::int64_t batch_size_for(const DataFacts& facts) {
  static constexpr std::int64_t kSmallest = 16, kLargest = 256;
  if (!defaults_depend_on_rows(facts)) return std::min(kLargest, facts.rows);
  const auto part = static_cast<std::uint64_t>(std::clamp(facts.rows / 16, kSmallest, kLargest));
  return std::min(static_cast<std::int64_t>(std::bit_floor(part)), facts.rows);
}

/// Eight passes are enough for many rows; Adam needs 1,600 steps more where these are few.
std::int64_t epochs_for(const DataFacts& facts) {
  static constexpr std::int64_t kPasses = 8, kSteps = 1600;
  if (!defaults_depend_on_rows(facts)) return kPasses;
  return kPasses + kSteps / ceil_div(facts.rows, batch_size_for(facts));
}

/// Small networks stand a higher rate than wide or deep ones.
double rate_for(const DataFacts& facts, OptimizerKind optimizer, const std::vector<std::int64_t>& hidden) {
  if (optimizer == OptimizerKind::sgd) return 0.1;
  if (optimizer == OptimizerKind::momentum) return 0.02;
  const bool small = hidden.size() <= 2 && std::ranges::all_of(hidden, [](std::int64_t width) { return width <= 256; });
  return defaults_depend_on_rows(facts) && small ? 0.003 : 0.001;
}

/// In a short run the warm-up is at most an eighth of the steps.
std::int64_t warmup_for(const DataFacts& facts, OptimizerKind optimizer, std::int64_t steps) {
  static constexpr std::int64_t kLongest = 200;
  if (optimizer != OptimizerKind::adamw) return 0;
  return defaults_depend_on_rows(facts) ? std::min(kLongest, steps / 8) : kLongest;
}

/// Decay forgets what is older than 1 / (rate * decay) steps: here about a fifth of the run, so many passes over few rows
/// are damped strongly, and a few passes over many rows weakly (Wang and Aitchison, "How to set AdamW's weight decay as
/// you scale model and dataset size", 2024).
double weight_decay_for(const DataFacts& facts, OptimizerKind optimizer, double lr, std::int64_t steps) {
  static constexpr double kFixed = 0.01, kLargest = 1;
  if (optimizer != OptimizerKind::adamw) return 0;
  if (!defaults_depend_on_rows(facts) || !(lr > 0)) return kFixed;
  const double decay = std::min(kLargest, 5 / (lr * static_cast<double>(steps)));
  return std::stod(fmt::format("{:.2g}", decay));  // so that the option on the screen is exactly this value
}

std::int64_t steps_of(const DataFacts& facts, const DataDefaults& chosen, const GivenOptions& given) {
  const std::int64_t batches = ceil_div(facts.rows, std::min(chosen.batch_size, facts.rows));
  const std::int64_t steps = chosen.epochs * ceil_div(batches, given.accumulate);
  return given.steps > 0 ? std::min(given.steps, steps) : steps;
}

}  // namespace

bool defaults_depend_on_rows(const DataFacts& facts) {
  return facts.kind == Kind::table || (facts.kind == Kind::images && facts.rows < kManyRows);
}

DataDefaults defaults_for(const DataFacts& facts, const GivenOptions& given) {
  DataDefaults chosen;
  chosen.hidden = given.hidden.value_or(hidden_for(facts));
  chosen.batch_size = given.batch_size.value_or(batch_size_for(facts));
  chosen.epochs = given.epochs.value_or(epochs_for(facts));
  chosen.lr = given.lr.value_or(rate_for(facts, given.optimizer, chosen.hidden));
  const std::int64_t steps = steps_of(facts, chosen, given);
  chosen.warmup = given.warmup.value_or(warmup_for(facts, given.optimizer, steps));
  chosen.weight_decay = given.weight_decay.value_or(weight_decay_for(facts, given.optimizer, chosen.lr, steps));
  return chosen;
}

std::string options_not_given(const DataDefaults& defaults, const GivenOptions& given) {
  std::vector<std::string> options;
  if (!given.hidden) options.push_back(fmt::format("--hidden {}", fmt::join(defaults.hidden, ",")));
  if (!given.batch_size) options.push_back(fmt::format("--batch-size {}", defaults.batch_size));
  if (!given.epochs) options.push_back(fmt::format("--epochs {}", defaults.epochs));
  if (!given.lr) options.push_back(fmt::format("--lr {}", defaults.lr));
  if (!given.warmup) options.push_back(fmt::format("--warmup {}", defaults.warmup));
  if (!given.weight_decay) options.push_back(fmt::format("--weight-decay {}", defaults.weight_decay));
  return fmt::format("{}", fmt::join(options, " "));
}

}  // namespace recombine
