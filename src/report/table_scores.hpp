#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/data/table_schema.hpp"
#include "src/nn/dataset.hpp"

namespace recombine {

/// How well the rows of one class were predicted.
struct ClassScore {
  std::int64_t rows = 0;                    ///< of this class
  std::int64_t predicted = 0;               ///< rows that were predicted as this class
  std::int64_t hits = 0;                    ///< rows of this class that were predicted as this class
  std::optional<double> precision() const;  ///< hits / predicted; none: no row was predicted as this class
  std::optional<double> recall() const;     ///< hits / rows; none: there is no such row
};

/// The error of one target, in its own units.
struct TargetScore {
  double rms_error = 0;      ///< root of the mean squared error
  std::optional<double> r2;  ///< 1 - squared error / squared deviation from the mean; none: all values are equal
};

/// How well the network predicts a table.
struct TableScores {
  std::int64_t rows = 0;
  std::vector<ClassScore> classes;                   ///< empty: regression
  std::vector<std::vector<std::int64_t>> confusion;  ///< [class in the data][predicted class]; empty: too many classes
  std::vector<TargetScore> targets;                  ///< empty: classes

  double accuracy() const;
  /// Mean over the classes that are in the data or were predicted; a class without a value counts as 0.
  double macro_precision() const;
  double macro_recall() const;
  std::optional<double> r2() const;  ///< mean over the targets; none if one of them has none
};

/// Counts a table's TableScores row by row, from the network's outputs. They do not depend on the mesh, except for the
/// rounding of the outputs.
class TableScorer {
 public:
  static constexpr std::int64_t kMostConfused = 1000;  ///< with more classes there is no confusion table

  /// @param table  in the host's memory; must outlive this  @param targets  of a regression; empty: units of the outputs
  TableScorer(const Table& table, std::int64_t outputs, const std::vector<TargetColumn>& targets);

  /// Adds the next rows. @param outputs [rows, outputs], row by row
  void add(std::span<const float> outputs);
  TableScores finish() const;

 private:
  void add_class(std::span<const float> row);
  void add_values(std::span<const float> row);
  double target(std::int64_t row, std::size_t column) const;
  /// Sum of the squares of a target's deviations from its mean.
  double square_deviation(std::size_t column) const;

  const Table& table_;
  std::size_t outputs_;
  std::vector<TargetColumn> targets_;
  std::int64_t row_ = 0;  ///< the next one
  TableScores scores_;
  std::vector<double> square_errors_;  ///< of each output
};

}  // namespace recombine
