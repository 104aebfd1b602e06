#include "src/report/table_scores.hpp"

#include <algorithm>
#include <cmath>

namespace recombine {

namespace {

std::optional<double> share(std::int64_t part, std::int64_t all) {
  if (all == 0) return {};
  return static_cast<double>(part) / static_cast<double>(all);
}

double macro(const std::vector<ClassScore>& classes, std::optional<double> (ClassScore::*value)() const) {
  double sum = 0;
  std::int64_t count = 0;
  for (const ClassScore& one : classes) {
    if (one.rows == 0 && one.predicted == 0) continue;
    sum += (one.*value)().value_or(0);
    ++count;
  }
  return sum / static_cast<double>(count);
}

}  // namespace

std::optional<double> ClassScore::precision() const { return share(hits, predicted); }
std::optional<double> ClassScore::recall() const { return share(hits, rows); }

double TableScores::accuracy() const {
  std::int64_t hits = 0;
  for (const ClassScore& one : classes) hits += one.hits;
  return static_cast<double>(hits) / static_cast<double>(rows);
}

double TableScores::macro_precision() const { return macro(classes, &ClassScore::precision); }
double TableScores::macro_recall() const { return macro(classes, &ClassScore::recall); }

std::optional<double> TableScores::r2() const {
  double sum = 0;
  for (const TargetScore& target : targets) {
    if (!target.r2) return {};
    sum += *target.r2;
  }
  return sum / static_cast<double>(targets.size());
}

TableScorer::TableScorer(const Table& table, std::int64_t outputs, const std::vector<TargetColumn>& targets)
    : table_(table), outputs_(static_cast<std::size_t>(outputs)), targets_(targets) {
  targets_.resize(outputs_);
  if (!table.targets.empty()) {
    square_errors_.resize(outputs_);
    return;
  }
  scores_.classes.resize(outputs_);
  if (outputs <= kMostConfused) scores_.confusion.assign(outputs_, std::vector<std::int64_t>(outputs_));
}

void TableScorer::add(std::span<const float> outputs) {
  for (std::size_t begin = 0; begin < outputs.size(); begin += outputs_, ++row_) {
    const std::span<const float> row = outputs.subspan(begin, outputs_);
    scores_.classes.empty() ? add_values(row) : add_class(row);
  }
}

void TableScorer::add_class(std::span<const float> row) {
  const auto label = static_cast<std::size_t>(table_.labels.as<std::int32_t>()[row_]);
  const auto predicted = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());  // the first one
  ++scores_.classes[label].rows;
  ++scores_.classes[predicted].predicted;
  if (label == predicted) ++scores_.classes[label].hits;
  if (!scores_.confusion.empty()) ++scores_.confusion[label][predicted];
}

void TableScorer::add_values(std::span<const float> row) {
  for (std::size_t column = 0; column < outputs_; ++column) {
    const double error = static_cast<double>(row[column]) - target(row_, column);
    square_errors_[column] += error * error;
  }
}

double TableScorer::target(std::int64_t row, std::size_t column) const {
  return table_.targets.block(row, static_cast<std::int64_t>(column), 1, 1).as<float>()[0];
}

double TableScorer::square_deviation(std::size_t column) const {
  double mean = 0, sum = 0;
  for (std::int64_t row = 0; row < row_; ++row) mean += target(row, column) / static_cast<double>(row_);
  for (std::int64_t row = 0; row < row_; ++row) sum += std::pow(target(row, column) - mean, 2);
  return sum;
}

TableScores TableScorer::finish() const {
  TableScores scores = scores_;
  scores.rows = row_;
  for (std::size_t column = 0; column < square_errors_.size(); ++column) {
    const double all = square_deviation(column);
    TargetScore score{.rms_error =
                          std::sqrt(square_errors_[column] / static_cast<double>(row_)) * targets_[column].deviation};
    if (all > 0) score.r2 = 1 - square_errors_[column] / all;
    scores.targets.push_back(score);
  }
  return scores;
}

}  // namespace recombine
