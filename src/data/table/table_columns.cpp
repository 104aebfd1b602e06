#include "src/data/table/table_columns.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "kernels/error.hpp"
#include "src/data/nearest.hpp"
#include "src/data/shown.hpp"
#include "src/program/parse.hpp"

namespace recombine {

namespace {

/// Cuts "a, \"b,c\" ,d" at the commas outside of quotes, and removes spaces and quotes.
std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t first = text.find_first_not_of(" \t", begin);
    std::size_t search = begin;
    if (first != std::string::npos && text[first] == '"') search = std::min(text.find('"', first + 1), text.size());
    const std::size_t end = std::min(text.find(',', search), text.size());
    std::string_view part = trimmed(std::string_view(text).substr(begin, end - begin));
    if (part.size() >= 2 && part.front() == '"' && part.back() == '"') part = part.substr(1, part.size() - 2);
    parts.emplace_back(part);
    begin = end + 1;
  }
  return parts;
}

/// The column of a number from 1 on, or of -1 for the last, -2 for the one before it.
std::optional<std::size_t> column_of_number(const std::string& text, std::size_t columns) {
  const auto most = static_cast<std::int64_t>(columns);
  const std::optional<std::int64_t> number = whole_from(text, {.least = -most, .most = most});
  if (!number || *number == 0) return std::nullopt;
  return static_cast<std::size_t>(*number > 0 ? *number - 1 : most + *number);
}

}  // namespace

std::int64_t present_in(const ColumnProfile& column) {
  return column.numbers + column.yes_no + column.dates + column.texts;
}

bool is_blank(const TableFacts& table, std::size_t column) {
  return table.dialect.has_header && table.dialect.names[column].empty() &&
         present_in(table.profile.columns[column]) == 0;
}

std::vector<std::string> column_names(const TableFacts& table) {
  std::vector<std::string> names = table.dialect.names;
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (names[c].empty()) continue;
    const auto [at, is_new] = seen.emplace(names[c], c);
    require_input(is_new, "{}: its header has column {} twice (columns {} and {}); expected different names",
                  table.file, shown(names[c]), at->second + 1, c + 1);
  }
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (!names[c].empty()) continue;
    std::string name = fmt::format("column {}", c + 1);
    while (seen.contains(name)) name += '\'';
    names[c] = std::move(name);
  }
  return names;
}

std::vector<std::size_t> columns_of_option(const std::string& option, const std::string& text, const TableFacts& table,
                                           const std::vector<std::string>& names) {
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t c = 0; c < names.size(); ++c) places.emplace(names[c], c);
  std::size_t counted = names.size();
  while (counted > 1 && is_blank(table, counted - 1)) --counted;

  std::vector<std::string> wanted = parts_of(text);
  if (places.contains(text)) wanted = {text};
  std::vector<std::size_t> columns;
  std::vector<bool> is_named(names.size());
  for (const std::string& name : wanted) {
    const auto at = places.find(name);
    const std::optional<std::size_t> column = at != places.end() ? at->second : column_of_number(name, counted);
    if (!column) {
      throw InputError(fmt::format("--{} {}: {} has no such column; expected one of {}{}", option, name, table.file,
                                   shown_list(names), did_you_mean(name, names)));
    }
    require_input(!is_named[*column], "--{} {}: is named twice; expected once", option, name);
    is_named[*column] = true;
    columns.push_back(*column);
  }
  return columns;
}

}  // namespace recombine
