#include "src/train/divergence_remedy.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

namespace recombine {

namespace {

constexpr float kLarge = 100;

struct ValueRange {
  float least = 0, most = 0;
  float size() const { return std::max(-least, most); }
};

/// The range of each input; none if the table is not in memory as f32.
std::vector<ValueRange> ranges_of(const Table& table) {
  if (table.features.data == nullptr || table.features.type != DataType::f32) return {};
  std::vector<ValueRange> ranges(static_cast<std::size_t>(table.features.cols));
  const auto* value = table.features.as<float>();
  for (std::int64_t row = 0; row < table.features.rows; ++row) {
    for (ValueRange& range : ranges) {
      if (row == 0) range = {*value, *value};
      range.least = std::min(range.least, *value);
      range.most = std::max(range.most, *value);
      ++value;
    }
  }
  return ranges;
}

/// The column that became input `input`; null if it has no name.
const InputColumn* column_of(const TableSchema& schema, std::size_t input) {
  std::int64_t before = 0;
  for (const InputColumn& column : schema.inputs) {
    before += column.width();
    if (static_cast<std::int64_t>(input) < before) return &column;
  }
  return nullptr;
}

}  // namespace

std::string divergence_remedy(const SharedData& data, const TableSchema& schema) {
  const std::vector<ValueRange> ranges = ranges_of(data.train());
  if (ranges.empty()) return "";
  const auto largest = std::ranges::max_element(ranges, {}, &ValueRange::size);
  const auto input = static_cast<std::size_t>(largest - ranges.begin());
  const InputColumn* const column = column_of(schema, input);
  const bool scaled = column ? column->mean != 0 || column->deviation != 1 : data.input().scale != 1;
  if (largest->size() <= kLarge || scaled) return "";
  return fmt::format("smaller inputs, by --standardize; {} goes from {:.6g} to {:.6g}",
                     column ? fmt::format("column '{}'", column->name) : fmt::format("input {}", input + 1),
                     largest->least, largest->most);
}

}  // namespace recombine
