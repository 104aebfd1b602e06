#include "src/train/comparison_options.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "kernels/ceil_div.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kFewRows = 64;     ///< fewer rows get mini-batches of less than 32 rows, and a linear network
constexpr std::int64_t kMostRows = 8192;  ///< of a micro-batch, if an update has all rows

const char* name_of(OptimizerKind kind) {
  return kind == OptimizerKind::sgd ? "sgd" : kind == OptimizerKind::momentum ? "momentum" : "adamw";
}

const char* name_of(ScheduleKind kind) {
  return kind == ScheduleKind::constant ? "constant" : kind == ScheduleKind::cosine ? "cosine" : "step";
}

/// Small networks: an update costs the same for one row as for many, and stochastic training has one for each row. A
/// few rows get the simplest network, because a larger one learns them by heart.
std::vector<std::int64_t> hidden_for(const DataFacts& facts) {
  if (facts.rows < kFewRows) return {};
  return {32};
}

/// The command with a value for each option that the three trainings share.
TrainCommand completed(const TrainCommand& command, const RunData& read) {
  static constexpr double kRate = 0.01, kRateWithMoments = 0.001;
  static constexpr std::int64_t kMostEpochs = 200;
  TrainCommand all = command;
  all.batch_size = mini_batch_rows(command.batch_size, read.tables().train().rows());
  if (command.batching.chooses_optimizer) all.optimizer.kind = OptimizerKind::sgd;
  if (command.batching.chooses_schedule) all.schedule = ScheduleKind::constant;
  if (!all.lr) all.lr = all.optimizer.kind == OptimizerKind::sgd ? kRate : kRateWithMoments;
  if (!all.warmup) all.warmup = 0;
  if (!all.weight_decay) all.weight_decay = 0;
  const DataFacts facts{.kind = read.kind(), .rows = read.tables().train().rows()};
  if (!all.hidden && !read.saved()) all.hidden = hidden_for(facts);
  if (!all.epochs) all.epochs = std::min(kMostEpochs, defaults_for(facts).epochs);
  return all;
}

/// The options that are not given, as they stand on the command line.
std::string options_not_given(const TrainCommand& given, const TrainCommand& all, const TrainerOptions& chosen) {
  std::vector<std::string> options;
  if (given.hidden != all.hidden) options.push_back(fmt::format("--hidden '{}'", fmt::join(chosen.model.hidden, ",")));
  if (!given.batch_size) options.push_back(fmt::format("--batch-size {}", *all.batch_size));
  if (!given.epochs) options.push_back(fmt::format("--epochs {}", chosen.epochs));
  if (given.batching.chooses_optimizer) options.push_back(fmt::format("--optimizer {}", name_of(all.optimizer.kind)));
  if (!given.lr) options.push_back(fmt::format("--lr {}", *all.lr));
  if (given.batching.chooses_schedule) options.push_back(fmt::format("--lr-schedule {}", name_of(all.schedule)));
  return fmt::format("{}", fmt::join(options, " "));
}

std::string note_on_rows(const TrainCommand& given, const TrainCommand& all) {
  if (!given.batch_size || *given.batch_size == *all.batch_size) return "";
  return fmt::format("--batch-size: {} another strategy; a mini-batch has {} rows",
                     *given.batch_size == 1 ? "one row is" : "all rows are", *all.batch_size);
}

BatchingStrategy with_rows(const std::string& name, std::int64_t rows, TrainerOptions trainer) {
  trainer.batch_size = rows;
  return {.name = name, .rows = rows, .trainer = std::move(trainer)};
}

/// An update sums the gradients of micro-batches, so that it needs no memory for all rows at once.
BatchingStrategy with_all_rows(std::int64_t rows, const TrainerOptions& shared) {
  BatchingStrategy batch = with_rows("batch", rows, shared);
  batch.trainer.accumulate = ceil_div(rows, kMostRows);
  batch.trainer.batch_size = ceil_div(rows, batch.trainer.accumulate);
  return batch;
}

}  // namespace

std::int64_t mini_batch_rows(std::optional<std::int64_t> given, std::int64_t rows) {
  static constexpr std::int64_t kUsual = 32, kLeast = 2;
  if (given && *given > 1 && *given < rows) return *given;
  if (rows >= kFewRows) return kUsual;
  return std::max(kLeast, static_cast<std::int64_t>(std::sqrt(static_cast<double>(rows))));
}

ComparisonOptions comparison_options(const TrainCommand& command, const RunData& read) {
  static constexpr std::int64_t kFewest = 3;
  const SharedData& data = read.tables();
  const std::int64_t rows = data.train().rows();
  require_input(rows >= kFewest,
                "--compare-batching: {} has {} training row{}; expected at least {}, so that a mini-batch has more "
                "than one row, but not all",
                data.name(), rows, rows == 1 ? "" : "s", kFewest);
  const TrainCommand all = completed(command, read);
  TrainerOptions shared = choose_options(all, data, read.kind(), read.saved()).trainer;
  shared.also_evaluated = rows;
  return {.strategies = {with_rows("stochastic", 1, shared), with_rows("mini-batch", *all.batch_size, shared),
                         with_all_rows(rows, shared)},
          .optimizer = name_of(all.optimizer.kind),
          .schedule = name_of(all.schedule),
          .defaults = options_not_given(command, all, shared),
          .note = note_on_rows(command, all)};
}

}  // namespace recombine
