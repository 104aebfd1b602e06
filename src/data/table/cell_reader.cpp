#include "src/data/table/cell_reader.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/error.hpp"
#include "src/data/shown.hpp"
#include "src/data/table/column_content.hpp"
#include "src/data/text/cell.hpp"
#include "src/data/text/encoding.hpp"

namespace recombine {

namespace {

constexpr std::size_t kListed = 10;  // categories and classes that a message lists

std::vector<std::string> in_small_yes_no(const std::vector<std::string>& classes) {
  std::vector<std::string> small;
  for (const std::string& text : classes) small.push_back(small_yes_no(text));
  return small;
}

bool is_ascii(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; });
}

}  // namespace

TextPlaces::TextPlaces(const std::vector<std::string>& texts) {
  for (std::size_t i = 0; i < texts.size(); ++i) places_.emplace(texts[i], i);
}

std::optional<std::size_t> TextPlaces::find(std::string_view text) const {
  const auto at = places_.find(text);
  return at == places_.end() ? std::nullopt : std::optional(at->second);
}

ClassPlaces::ClassPlaces(const std::vector<std::string>& classes, char decimal)
    : texts_(classes), small_texts_(in_small_yes_no(classes)), decimal_(decimal) {
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (const std::optional<double> number = number_in(classes[i], '.')) numbers_.emplace(*number, i);
  }
  if (numbers_.size() < classes.size()) numbers_.clear();
}

std::optional<std::size_t> ClassPlaces::find(std::string_view text) const {
  std::optional<double> number = number_in(text, decimal_);
  if (!numbers_.empty()) {
    if (const auto word = yes_no_number(text)) number = *word;
    const auto at = number ? numbers_.find(*number) : numbers_.end();
    return at == numbers_.end() ? std::nullopt : std::optional(at->second);
  }
  const std::optional<std::size_t> exact = texts_.find(text);
  if (exact || !number) return exact ? exact : small_texts_.find(small_yes_no(text));
  const bool one = *number == 1;
  const std::optional<std::size_t> truth = small_texts_.find(one ? "true" : "false");
  return *number != 0 && !one ? std::nullopt : truth ? truth : small_texts_.find(one ? "yes" : "no");
}

CellReader::CellReader(const TableFacts& table, const TableColumns& columns, const TableSchema& schema, Stage stage)
    : table_(table),
      schema_(schema),
      stage_(stage),
      target_cells_(schema.targets.size()),
      classes_(schema.classes, table.dialect.decimal) {
  std::vector<std::size_t> firsts;
  for (const InputColumn& column : schema.inputs) {
    firsts.push_back(static_cast<std::size_t>(inputs_));
    inputs_ += column.width();
  }
  for (std::size_t c = 0; c < columns.uses.size(); ++c) {
    const ColumnUse& use = columns.uses[c];
    if (use.role == ColumnUse::Role::target) target_cells_[use.place] = c;
    if (use.role != ColumnUse::Role::input) continue;
    const InputColumn& column = schema.inputs[use.place];
    columns_.push_back({c, firsts[use.place], column, TextPlaces(column.categories)});
  }
}

void CellReader::refuse(const Place& place, const std::string& expected) const {
  const std::string found = is_missing(place.cell) ? "the value is missing" : shown(text_of(place.cell));
  throw InputError(fmt::format("{}, line {}, column {}: {}; expected {}", table_.file, place.line, shown(place.column),
                               found, expected));
}

std::string CellReader::text_of(std::string_view cell) const { return utf8(cell, table_.dialect.encoding); }

bool CellReader::is_missing(std::string_view cell) const {
  return kind_of_cell(cell, table_.dialect.decimal) == CellKind::missing;
}

void CellReader::read_category(const Input& input, const Place& place, std::span<float> inputs) const {
  const std::vector<std::string>& categories = input.column.categories;
  std::optional<std::size_t> category =
      is_ascii(place.cell) ? input.categories.find(place.cell) : input.categories.find(text_of(place.cell));
  if (!category && input.column.has_missing && is_missing(place.cell)) category = categories.size();
  if (!category) {
    refuse(place, fmt::format("one of {} categories of the training table: {}", categories.size(),
                              shown_list(categories, kListed)));
  }
  std::ranges::fill(inputs, 0.0F);
  inputs[*category] = 1;
}

float CellReader::read_number(const Input& input, const Place& place) const {
  const InputColumn& column = input.column;
  if (column.kind == ColumnKind::number) {
    if (const auto number = number_in(place.cell, table_.dialect.decimal))
      return static_cast<float>(*number - column.origin);
    const auto word = yes_no_number(place.cell);  // of a table whose training table had 0 and 1
    if (stage_ == Stage::scaled && word) return static_cast<float>(*word - column.origin);
  } else if (const auto word = input.categories.find(small_yes_no(place.cell))) {
    return static_cast<float>(*word);
  } else if (const auto number = number_in(place.cell, table_.dialect.decimal); number == 0 || number == 1) {
    return static_cast<float>(*number);
  }
  const bool may_miss = schema_.missing != Missing::error && (stage_ == Stage::raw || !std::isnan(column.fill));
  if (may_miss && is_missing(place.cell)) return std::numeric_limits<float>::quiet_NaN();
  refuse(place, column.kind == ColumnKind::number ? "a finite number" : shown_list(column.categories));
}

void CellReader::read_inputs(std::int64_t line, std::span<const std::string_view> cells,
                             std::span<float> inputs) const {
  for (const Input& input : columns_) {
    const Place place{line, input.column.name, cells[input.cell]};
    const std::span<float> to = inputs.subspan(input.first, static_cast<std::size_t>(input.column.width()));
    if (input.column.kind == ColumnKind::category) {
      read_category(input, place, to);
    } else {
      const float value = read_number(input, place);
      to[0] = stage_ == Stage::raw ? value : as_input(input.column, value);
    }
  }
}

std::int32_t CellReader::read_label(std::int64_t line, std::span<const std::string_view> cells) const {
  const Place place{line, schema_.targets[0].name, cells[target_cells_[0]]};
  const std::optional<std::size_t> label =
      is_ascii(place.cell) ? classes_.find(place.cell) : classes_.find(text_of(place.cell));
  if (!label) {
    refuse(place, fmt::format("one of {} classes of the training table: {}", schema_.classes.size(),
                              shown_list(schema_.classes, kListed)));
  }
  return static_cast<std::int32_t>(*label);
}

void CellReader::read_targets(std::int64_t line, std::span<const std::string_view> cells,
                              std::span<float> targets) const {
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const Place place{line, schema_.targets[t].name, cells[target_cells_[t]]};
    const std::optional<double> number = number_in(place.cell, table_.dialect.decimal);
    if (!number) refuse(place, "a finite number");
    const auto value = static_cast<float>(*number - schema_.targets[t].origin);
    targets[t] = stage_ == Stage::raw ? value : as_output(schema_.targets[t], value);
  }
}

}  // namespace recombine
