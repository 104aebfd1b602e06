#include "src/data/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "kernels/error.hpp"
#include "src/data/gzip.hpp"

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

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = cell_end(text, begin);
    parts.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

/// Lines without their ends; blank lines at the end of the file do not count.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.push_back(line);
    begin = end + 1;
  }
  while (!lines.empty() && trimmed(lines.back()).empty()) lines.pop_back();
  return lines;
}

std::string joined(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

/// For each column its place among the targets, or -1 for an input.
std::vector<std::int64_t> target_places(const std::string& path, const std::vector<std::string_view>& names,
                                        const std::string& target) {
  require_input(!target.empty(), "--target: {} has the columns {}; name the one to predict", path, joined(names));
  for (auto name = names.begin(); name != names.end(); ++name) {
    require_input(std::find(names.begin(), name, *name) == name, "{}, line 1: column '{}' is there twice", path, *name);
  }
  std::vector<std::int64_t> places(names.size(), -1);
  std::int64_t next = 0;
  for (const std::string_view wanted : split(target)) {
    const auto at = std::ranges::find(names, wanted);
    require_input(at != names.end(), "--target {}: {} has no such column, but {}", wanted, path, joined(names));
    std::int64_t& place = places[static_cast<std::size_t>(at - names.begin())];
    require_input(place == -1, "--target {}: is named twice", wanted);
    place = next++;
  }
  require_input(next < static_cast<std::int64_t>(names.size()), "--target {}: leaves no input column in {}", target,
                path);
  return places;
}

float number(const std::string& path, std::size_t line, std::string_view column, std::string_view cell) {
  const char* const end = cell.data() + cell.size();
  float value = 0;
  auto [at, error] = std::from_chars(cell.data(), end, value);
  if (error == std::errc::result_out_of_range) {  // 1e-60, which is 0 in f32, or 1e60, which is refused
    double wide = HUGE_VAL;
    error = std::from_chars(cell.data(), end, wide).ec;
    value = std::abs(wide) < 1 ? static_cast<float>(wide) : HUGE_VALF;
  }
  require_input(error == std::errc{} && at == end && std::isfinite(value),
                "{}, line {}, column {}: '{}' is not a finite number", path, line, column, cell);
  return value;
}

}  // namespace

CsvTable load_csv(const std::string& path, const std::string& target) {
  const std::string text = read_file(path);
  require_input(text.find('\0') == std::string::npos, "{}: holds a zero byte; a text file is right", path);
  const std::vector<std::string_view> lines = lines_of(text);
  require_input(lines.size() >= 2, "{}: has no row under its header line", path);
  const std::vector<std::string_view> names = split(lines[0]);
  const std::vector<std::int64_t> places = target_places(path, names, target);

  std::vector<std::string> inputs;
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (places[c] < 0) inputs.emplace_back(names[c]);
  }
  LoadedTable table{.rows = static_cast<std::int64_t>(lines.size()) - 1};
  table.outputs = std::ranges::count_if(places, [](std::int64_t place) { return place >= 0; });
  table.inputs = static_cast<std::int64_t>(names.size()) - table.outputs;
  table.targets.resize(static_cast<std::size_t>(table.rows * table.outputs));
  for (std::size_t line = 1; line < lines.size(); ++line) {
    require_input(!trimmed(lines[line]).empty(), "{}, line {}: is blank; rows without a gap are right", path, line + 1);
    const std::vector<std::string_view> cells = split(lines[line]);
    require_input(cells.size() == names.size(), "{}, line {}: {} values for {} columns", path, line + 1, cells.size(),
                  names.size());
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const float value = number(path, line + 1, names[c], cells[c]);
      if (places[c] < 0) {
        table.features.push_back(value);
      } else {
        table.targets[(line - 1) * static_cast<std::size_t>(table.outputs) + static_cast<std::size_t>(places[c])] =
            value;
      }
    }
  }
  return {std::move(table), std::move(inputs)};
}

void make_classes(LoadedData& data) {
  static constexpr float kMostClasses = 100000;
  data.classes = 2;
  for (LoadedTable* table : {&data.train, &data.test, &data.validation}) {
    require_input(table->outputs <= 1, "--loss cross-entropy: needs one target column, not {}", table->outputs);
    for (const float value : table->targets) {
      require_input(value >= 0 && value < kMostClasses && value == std::floor(value),
                    "--loss cross-entropy: target {} is no class number; whole numbers from 0 to {} are right", value,
                    kMostClasses - 1);
      table->labels.push_back(static_cast<std::int32_t>(value));
      data.classes = std::max<std::int64_t>(data.classes, 1 + table->labels.back());
    }
    table->targets.clear();
    table->outputs = 0;
  }
}

}  // namespace recombine
