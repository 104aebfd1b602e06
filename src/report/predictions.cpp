#include "src/report/predictions.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernels/error.hpp"
#include "src/report/answer_names.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kMostDigits = 25;  // of a number, with its comma: "-1.2345678e-38," has 15

bool has_classes(const PredictedTable& predicted) { return predicted.table.targets.empty(); }
bool has_answers(const PredictedTable& predicted) { return predicted.answers == Answers::present; }

/// The name of the column of labels: that of the target, unless another column has this name.
std::string label_name(const TableSchema& schema) {
  static const std::set<std::string> kTaken = {"row", "class", "probability"};
  if (!has_names(schema)) return "label";
  const std::string& name = schema.targets.front().name;
  return kTaken.contains(name) ? "label" : name;
}

/// The names of the columns for this table.
std::vector<std::string> columns_of(const PredictedTable& predicted) {
  const bool named = has_names(predicted.schema);
  std::vector<std::string> columns{"row"};
  const auto add = [&](std::string_view prefix, const std::vector<std::string>& names) {
    for (const std::string& name : names) columns.push_back(csv_cell(fmt::format("{}{}", prefix, name)));
  };
  if (has_classes(predicted)) {
    if (has_answers(predicted)) columns.push_back(csv_cell(label_name(predicted.schema)));
    columns.insert(columns.end(), {"class", "probability"});
    add(named ? "" : "p", class_names(named ? predicted.schema : TableSchema{}, predicted.outputs));
    return columns;
  }
  if (has_answers(predicted)) add("", target_names(predicted.schema, predicted.outputs));
  if (named) {
    add("predicted_", target_names(predicted.schema, predicted.outputs));
  } else {
    for (std::int64_t n = 0; n < predicted.outputs; ++n) columns.push_back(fmt::format("output{}", n));
  }
  return columns;
}

/// The target's value in the file, from its scaled f32: rounded to the digits that are certain.
double unscaled(const TargetColumn& column, float scaled) {
  if (column.mean == 0 && column.deviation == 1) return scaled;
  const double spread = static_cast<double>(scaled) * column.deviation;
  const double value = spread + column.mean;
  const double error = 0x1p-23 * std::max(std::abs(spread), std::abs(value - column.origin));
  if (error == 0) return value;
  const double digits = std::floor(-std::log10(error));
  const double power = std::pow(10, std::abs(digits));
  return 0.0 + (digits >= 0 ? std::round(value * power) / power : std::round(value / power) * power);  // no -0
}

/// A value of the target column in its own units; with the digits of f64, if f32 has too few.
std::string target_text(const TargetColumn& column, float scaled) {
  const double value = unscaled(column, scaled);
  return column.origin == 0 ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
}
std::string output_text(const TargetColumn& column, float output) {
  if (column.origin != 0) return target_text(column, output);
  return fmt::format("{}", static_cast<float>(static_cast<double>(output) * column.deviation + column.mean));
}

}  // namespace

Predictions::Predictions(OutputFile& file, std::string path, const PredictedTable& predicted)
    : file_(file),
      path_(std::move(path)),
      predicted_(predicted),
      outputs_(static_cast<std::size_t>(predicted.outputs)) {
  if (has_classes(predicted)) {
    const bool named = has_names(predicted.schema);
    for (const std::string& name : class_names(named ? predicted.schema : TableSchema{}, predicted.outputs)) {
      classes_.push_back(csv_cell(name));
    }
  } else {
    targets_ = predicted.schema.targets;
    targets_.resize(outputs_);
  }
  file_.write(fmt::format("{}\n", fmt::join(columns_of(predicted), ",")));
}

std::int64_t Predictions::most_bytes(const PredictedTable& predicted) {
  std::int64_t header = 0, longest = 0;
  const std::vector<std::string> columns = columns_of(predicted);
  for (const std::string& column : columns) header += std::ssize(column) + 1;
  for (const std::string& name : predicted.schema.classes) longest = std::max(longest, std::ssize(csv_cell(name)));
  return header + predicted.table.rows() * (kMostDigits * std::ssize(columns) + 2 * longest);
}

void Predictions::skip_absent_rows() {
  const std::vector<bool>* const rows = predicted_.rows_of_file;
  while (rows != nullptr && !rows->empty() && !rows->at(static_cast<std::size_t>(row_in_file_))) ++row_in_file_;
}

void Predictions::add(std::span<const float> outputs) {
  for (std::size_t begin = 0; begin < outputs.size(); begin += outputs_) {
    const std::span<const float> row = outputs.subspan(begin, outputs_);
    skip_absent_rows();
    const auto bad = std::ranges::find_if_not(row, [](float value) { return std::isfinite(value); });
    if (bad != row.end()) {  // not require_input(): it would read *bad even if all outputs are finite
      throw InputError(fmt::format("--predictions {}: output {} of row {} is {}; expected finite outputs", path_,
                                   bad - row.begin(), row_in_file_, std::isnan(*bad) ? "NaN" : "infinite"));
    }
    line_ = fmt::format("{}", row_in_file_);
    classes_.empty() ? add_values(row) : add_class(row);
    line_ += '\n';
    file_.write(line_);
    ++row_;
    ++row_in_file_;
  }
}

void Predictions::add_class(std::span<const float> logits) {
  const auto largest = std::ranges::max_element(logits);  // the first one
  exponentials_.clear();
  double sum = 0;
  for (const float logit : logits) {
    exponentials_.push_back(std::exp(static_cast<double>(logit) - static_cast<double>(*largest)));
    sum += exponentials_.back();
  }
  const auto out = std::back_inserter(line_);
  if (has_answers(predicted_)) {
    const std::int32_t label = predicted_.table.labels.as<std::int32_t>()[row_];
    fmt::format_to(out, ",{}", classes_[static_cast<std::size_t>(label)]);
  }
  fmt::format_to(out, ",{},{}", classes_[static_cast<std::size_t>(largest - logits.begin())],
                 static_cast<float>(1 / sum));
  for (const double e : exponentials_) fmt::format_to(out, ",{}", static_cast<float>(e / sum));
}

void Predictions::add_values(std::span<const float> outputs) {
  const auto out = std::back_inserter(line_);
  for (std::size_t n = 0; has_answers(predicted_) && n < outputs_; ++n) {
    const auto column = static_cast<std::int64_t>(n);
    const float target = predicted_.table.targets.block(row_, column, 1, 1).as<float>()[0];
    fmt::format_to(out, ",{}", target_text(targets_[n], target));
  }
  for (std::size_t n = 0; n < outputs_; ++n) fmt::format_to(out, ",{}", output_text(targets_[n], outputs[n]));
}

}  // namespace recombine
