#include "src/report/predictions.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kMostDigits = 20;  // of a number, with its comma: "-1.2345678e-38," has 15

bool has_classes(const Table& table) { return table.targets.empty(); }

/// The names of the columns for this table.
std::vector<std::string> columns_of(const Table& table, std::int64_t outputs) {
  std::vector<std::string> columns{"row"};
  const auto add = [&](std::string_view name, std::int64_t count) {
    for (std::int64_t n = 0; n < count; ++n) columns.push_back(fmt::format("{}{}", name, n));
  };
  if (has_classes(table)) {
    columns.insert(columns.end(), {"label", "class", "probability"});
    add("p", outputs);
  } else {
    add("target", outputs);
    add("output", outputs);
  }
  return columns;
}

}  // namespace

Predictions::Predictions(OutputFile& file, std::string path, const Table& table, std::int64_t outputs)
    : file_(file), path_(std::move(path)), table_(table), outputs_(static_cast<std::size_t>(outputs)) {
  file_.write(fmt::format("{}\n", fmt::join(columns_of(table, outputs), ",")));
}

std::int64_t Predictions::most_bytes(const Table& table, std::int64_t outputs) {
  return (table.rows() + 1) * kMostDigits * std::ssize(columns_of(table, outputs));
}

void Predictions::add(std::span<const float> outputs) {
  for (std::size_t begin = 0; begin < outputs.size(); begin += outputs_) {
    const std::span<const float> row = outputs.subspan(begin, outputs_);
    const auto bad = std::ranges::find_if_not(row, [](float value) { return std::isfinite(value); });
    if (bad != row.end()) {  // not require_input(): it would read *bad even if all outputs are finite
      throw InputError(fmt::format("--predictions {}: output {} of row {} is {}; expected finite outputs", path_,
                                   bad - row.begin(), row_, std::isnan(*bad) ? "NaN" : "infinite"));
    }
    line_ = fmt::format("{}", row_);
    has_classes(table_) ? add_class(row) : add_values(row);
    line_ += '\n';
    file_.write(line_);
    ++row_;
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
  fmt::format_to(out, ",{},{},{}", table_.labels.as<std::int32_t>()[row_], largest - logits.begin(),
                 static_cast<float>(1 / sum));
  for (const double e : exponentials_) fmt::format_to(out, ",{}", static_cast<float>(e / sum));
}

void Predictions::add_values(std::span<const float> outputs) {
  const auto out = std::back_inserter(line_);
  for (std::size_t n = 0; n < outputs_; ++n) {
    const auto column = static_cast<std::int64_t>(n);
    fmt::format_to(out, ",{}", table_.targets.block(row_, column, 1, 1).as<float>()[0]);
  }
  for (const float output : outputs) fmt::format_to(out, ",{}", output);
}

}  // namespace recombine
