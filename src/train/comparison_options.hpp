#pragma once

#include <array>
#include <string>

#include "src/train/run_data.hpp"

namespace recombine {

/// A strategy that --compare-batching compares, and how its trainer is built.
struct BatchingStrategy {
  std::string name;
  std::int64_t rows = 0;  ///< of an update
  TrainerOptions trainer;
};

/// The three strategies. Their options differ only in the rows of an update.
struct ComparisonOptions {
  std::array<BatchingStrategy, 3> strategies;  ///< stochastic, mini-batch, batch
  std::string optimizer;                       ///< as --optimizer names it
  std::string schedule;                        ///< as --lr-schedule names it
  std::string defaults;  ///< the options that were chosen for these data: "--batch-size 2 --lr 0.01"; "": none
  std::string note;      ///< for the screen, if the given --batch-size is not one of a mini-batch; else ""
};

/// Takes each option from the user; else a default with which the comparison shows the effect of the batch size alone:
/// plain sgd at one constant rate, without warm-up and decay. The rate is low enough for updates after each row.
/// @throws InputError if the data have too few rows for a mini-batch
ComparisonOptions comparison_options(const TrainCommand& command, const RunData& read);

/// Rows of a mini-batch: `given`, if that is more than one and less than all; else 32, but for fewer than 64 rows about
/// the square root of `rows`. @pre rows >= 3
std::int64_t mini_batch_rows(std::optional<std::int64_t> given, std::int64_t rows);

}  // namespace recombine
