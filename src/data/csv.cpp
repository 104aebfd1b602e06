#include "src/data/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "kernels/error.hpp"
#include "src/data/line_reader.hpp"

namespace recombine {

namespace {

std::string_view trimmed(std::string_view cell) {
  while (!cell.empty() && (cell.front() == ' ' || cell.front() == '\t')) cell.remove_prefix(1);
  while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t')) cell.remove_suffix(1);
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') cell = cell.substr(1, cell.size() - 2);
  return cell;
}

/// The comma after the cell, or the end of the text; a comma inside quotes is text.
std::size_t cell_end(std::string_view text, std::size_t begin) {
  const std::size_t first = text.find_first_not_of(" \t", begin);
  if (first < text.size() && text[first] == '"') begin = std::min(text.find('"', first + 1), text.size());
  return std::min(text.find(',', begin), text.size());
}

void split(std::string_view text, std::vector<std::string_view>& parts) {
  parts.clear();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = cell_end(text, begin);
    parts.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
}

/// The names as a list for a message; only the first 50.
std::string joined(const std::vector<std::string>& names) {
  static constexpr std::size_t kMost = 50;
  std::string text;
  for (std::size_t c = 0; c < std::min(names.size(), kMost); ++c) text += (text.empty() ? "" : ", ") + names[c];
  return text + (names.size() > kMost ? fmt::format(" and {} more", names.size() - kMost) : "");
}

/// For each column its place among the targets, or -1 for an input.
std::vector<std::int64_t> target_places(const std::string& path, const std::vector<std::string>& names,
                                        const std::string& target) {
  require_input(!target.empty(), "--target: {} has the columns {}; expected the name of the column to predict", path,
                joined(names));
  std::unordered_map<std::string_view, std::size_t> columns;
  for (std::size_t c = 0; c < names.size(); ++c) {
    require_input(columns.emplace(names[c], c).second,
                  "{}, line 1: column '{}' appears twice; expected different names", path, names[c]);
  }
  std::vector<std::int64_t> places(names.size(), -1);
  std::int64_t next = 0;
  std::vector<std::string_view> targets;
  split(target, targets);
  for (const std::string_view wanted : targets) {
    const auto at = columns.find(wanted);
    require_input(at != columns.end(), "--target {}: {} has no such column; expected one of {}", wanted, path,
                  joined(names));
    std::int64_t& place = places[at->second];
    require_input(place == -1, "--target {}: is named twice; expected once", wanted);
    place = next++;
  }
  require_input(next < static_cast<std::int64_t>(names.size()),
                "--target {}: leaves no input column in {}; expected at least one", target, path);
  return places;
}

float number(const std::string& path, std::int64_t line, std::string_view column, std::string_view cell) {
  const char* const end = cell.data() + cell.size();
  float value = 0;
  auto [at, error] = std::from_chars(cell.data(), end, value);
  if (error == std::errc::result_out_of_range) {  // 1e-60 becomes 0, 1e60 is refused
    double wide = HUGE_VAL;
    error = std::from_chars(cell.data(), end, wide).ec;
    value = std::abs(wide) < 1 ? static_cast<float>(wide) : HUGE_VALF;
  }
  require_input(error == std::errc{} && at == end && std::isfinite(value),
                "{}, line {}, column {}: '{}'; expected a finite number", path, line, column, cell);
  return value;
}

}  // namespace

CsvTable load_csv(const std::string& path, const std::string& target, DataBudget& budget) {
  LineReader lines(path, budget);
  std::vector<std::string_view> cells;
  split(lines.next().value_or(""), cells);
  const std::vector<std::string> names(cells.begin(), cells.end());
  std::optional<std::string_view> line = lines.next();
  require_input(line.has_value(), "{}: has no row after its header line; expected at least one", path);
  const std::vector<std::int64_t> places = target_places(path, names, target);

  CsvTable csv;
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (places[c] < 0) csv.inputs.push_back(names[c]);
  }
  LoadedTable& table = csv.table;
  table.inputs = static_cast<std::int64_t>(csv.inputs.size());
  table.outputs = static_cast<std::int64_t>(names.size()) - table.inputs;
  for (; line; line = lines.next()) {
    split(*line, cells);
    require_input(cells.size() == names.size(),
                  "{}, line {}: has {} values for {} columns; expected one value for each", path, lines.number(),
                  cells.size(), names.size());
    budget.take_table(path, static_cast<double>(cells.size() * sizeof(float)));
    const auto row = static_cast<std::size_t>(table.rows++ * table.outputs);
    table.targets.resize(row + static_cast<std::size_t>(table.outputs));
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const float value = number(path, lines.number(), names[c], cells[c]);
      if (places[c] < 0) {
        table.features.push_back(value);
      } else {
        table.targets[row + static_cast<std::size_t>(places[c])] = value;
      }
    }
  }
  return csv;
}

void make_classes(LoadedData& data) {
  static constexpr float kMostClasses = 100000;
  data.classes = 2;
  for (LoadedTable* table : {&data.train, &data.test, &data.validation}) {
    require_input(table->outputs <= 1, "--loss cross-entropy: the data have {} target columns; expected one",
                  table->outputs);
    for (const float value : table->targets) {
      require_input(value >= 0 && value < kMostClasses && value == std::floor(value),
                    "--loss cross-entropy: target {} is not a class number; expected whole numbers from 0 to {}", value,
                    kMostClasses - 1);
      table->labels.push_back(static_cast<std::int32_t>(value));
      data.classes = std::max<std::int64_t>(data.classes, 1 + table->labels.back());
    }
    table->targets.clear();
    table->outputs = 0;
  }
}

}  // namespace recombine
