#include "src/data/text/sample.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "src/data/text/cell.hpp"
#include "src/data/text/record_reader.hpp"

namespace recombine {

namespace {

using Row = std::vector<std::string>;

/// Commas do not separate columns, so a cell such as 1,5 may be a number.
char widest_decimal(char separator, const std::string& cell) {
  return separator != ',' && cell.find(',') != std::string::npos ? ',' : '.';
}

/// How many cells of each kind a column has below the first row.
struct Kinds {
  std::int64_t cells = 0;  ///< not missing
  std::array<std::int64_t, 5> of_kind{};
  bool first_repeats = false;  ///< the cell of the first row comes again
};

Kinds kinds_below(const std::vector<Row>& rows, std::size_t column, char decimal) {
  Kinds kinds;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    if (column >= rows[r].size()) continue;
    const std::string& cell = rows[r][column];
    const CellKind kind = kind_of_cell(cell, decimal);
    if (kind == CellKind::missing) continue;
    ++kinds.cells;
    ++kinds.of_kind[static_cast<std::size_t>(kind)];
    kinds.first_repeats = kinds.first_repeats || cell == rows[0][column];
  }
  return kinds;
}

/// Number, date or yes_no if nearly all cells are; else text.
CellKind main_kind(const Kinds& kinds) {
  static constexpr double kNearlyAll = 0.9;
  for (const CellKind kind : {CellKind::number, CellKind::date, CellKind::yes_no}) {
    const std::int64_t count = kinds.of_kind[static_cast<std::size_t>(kind)];
    if (count > 0 && static_cast<double>(count) >= kNearlyAll * static_cast<double>(kinds.cells)) return kind;
  }
  return CellKind::text;
}

/// True if the cells from `begin` on are number, number + 1, and so on.
bool count_on(const Row& row, std::size_t begin, std::int64_t number) {
  for (std::size_t c = begin; c < row.size(); ++c) {
    if (row[c] != std::to_string(number++)) return false;
  }
  return true;
}

/// True if the first row is 0, 1, 2, ..., or an empty cell and numbers that count from 0 or 1: pandas names columns so.
/// Not if a row like it follows: then it is data. Two numbers are too few to tell.
bool has_counted_names(const std::vector<Row>& rows) {
  static constexpr std::size_t kLeast = 3;
  const Row& first = rows[0];
  if (first.size() < kLeast || rows.size() == 1 || std::find(rows.begin() + 1, rows.end(), first) != rows.end()) {
    return false;
  }
  if (first[0].empty()) return count_on(first, 1, 0) || count_on(first, 1, 1);
  const auto next = number_in(rows[1][0], '.');
  const bool goes_on = next && *next >= 0 && *next < 1e9 && count_on(rows[1], 0, static_cast<std::int64_t>(*next));
  return count_on(first, 0, 0) && !goes_on;
}

}  // namespace

Sample read_sample(const TextFile& text, char separator, std::int64_t begin, std::int64_t line) {
  static constexpr std::int64_t kBytes = std::int64_t{1} << 20;
  static constexpr std::size_t kRows = 1000;
  RecordReader records(text, separator, {begin, begin + kBytes, line});
  Sample sample{.first_line = line, .second_byte = begin, .second_line = line};
  for (std::vector<std::string_view> cells; sample.rows.size() < kRows && records.next(cells);) {
    sample.rows.emplace_back(cells.begin(), cells.end());
    if (sample.rows.size() > 1) continue;
    sample.first_line = records.line();
    sample.second_byte = records.position();
    sample.second_line = records.next_line();
  }
  return sample;
}

Fit fit_of(const Sample& sample, char separator) {
  std::map<std::size_t, std::size_t> rows_of;
  for (const Row& row : sample.rows) ++rows_of[row.size()];
  Fit fit;
  std::size_t most = 0;
  for (const auto& [cells, rows] : rows_of) {
    if (rows < most) continue;
    most = rows;
    fit.cells = cells;
  }
  if (sample.rows.empty() || fit.cells == 0) return fit;
  const std::size_t names = sample.rows[0].size(), header = names > 1 && names + 1 == fit.cells ? 1 : 0;
  fit.agreeing = static_cast<double>(most + header) / static_cast<double>(sample.rows.size());
  std::size_t plain = 0;
  for (const Row& row : sample.rows) {
    if (row.size() != fit.cells) continue;
    for (const std::string& cell : row) {
      if (kind_of_cell(cell, widest_decimal(separator, cell)) != CellKind::text) ++plain;
    }
  }
  fit.plain = static_cast<double>(plain) / static_cast<double>(most * fit.cells);
  return fit;
}

char decimal_of(const Sample& sample, char separator) {
  if (separator == ',') return '.';
  std::int64_t commas = 0, points = 0;
  for (const Row& row : sample.rows) {
    for (const std::string& cell : row) {
      if (cell.find(',') != std::string::npos && number_in(cell, ',')) ++commas;
      if (cell.find('.') != std::string::npos && number_in(cell, '.')) ++points;
    }
  }
  return commas > points ? ',' : '.';
}

bool has_header(const Sample& sample, char decimal) {
  const Row& first = sample.rows[0];
  if (has_counted_names(sample.rows)) return true;
  bool same_kind = false, repeats = false, numbers = false;
  for (std::size_t c = 0; c < first.size(); ++c) {
    const Kinds below = kinds_below(sample.rows, c, decimal);
    const CellKind kind = kind_of_cell(first[c], decimal);
    const CellKind expected = main_kind(below);
    if (expected != CellKind::text && kind == CellKind::text) return true;
    same_kind = same_kind || (expected != CellKind::text && kind == expected);
    repeats = repeats || (kind != CellKind::missing && below.first_repeats);
    numbers = numbers || kind == CellKind::number;
  }
  return !same_kind && !repeats && !(numbers && sample.rows.size() == 1);
}

}  // namespace recombine
