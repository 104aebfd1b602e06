#include "src/data/table/column_content.hpp"

#include <algorithm>
#include <array>

#include "kernels/error.hpp"
#include "src/data/shown.hpp"
#include "src/data/text/cell.hpp"
#include "src/program/parse.hpp"

namespace recombine {

namespace {

/// Names of columns that number the rows. A column without a name is the index that R and pandas write; read and written
/// once more, it is "Unnamed: 0".
constexpr std::array<std::string_view, 28> kRowNumbers = {
    "",     "unnamed: 0", "id",          "index",  "idx",    "row",      "rownum", "row_number", "rownames", "no",
    "no.",  "nr",         "nr.",         "number", "num",    "#",        "n",      "sno",        "s.no",     "serial",
    "case", "obs",        "observation", "sample", "record", "instance", "key",    "uid"};

std::string ignore_option(const std::string& name) { return "--ignore " + as_option({name}); }

/// True if nine of ten values are numbers with the other decimal mark.
bool has_other_decimals(const ColumnProfile& column, char decimal) {
  const char other = decimal == '.' ? ',' : '.';
  const auto numbers =
      std::ranges::count_if(column.values, [&](const std::string& v) { return number_in(v, other).has_value(); });
  return column.texts > 0 && 10 * static_cast<std::size_t>(numbers) >= 9 * column.values.size();
}

}  // namespace

bool are_decorated_numbers(const ColumnProfile& column, char decimal) {
  static constexpr std::array<std::string_view, 5> kBefore = {"", "$", "\u20AC", "\u00A3",
                                                              "\u00A5"};  // euro, pound, yen
  static constexpr std::size_t kLongestUnit = 5, kLooked = 1000;
  static constexpr const char* kDigits = "0123456789";
  if (column.values.empty()) return false;
  const std::string& first = *column.values.begin();
  const std::size_t last_digit = first.find_last_of(kDigits);
  if (last_digit == std::string::npos || first.size() - last_digit - 1 > kLongestUnit) return false;
  const std::string_view unit = std::string_view(first).substr(last_digit + 1);
  const std::size_t digit = first.find_first_of("+-.0123456789");
  const std::string_view before = std::string_view(first).substr(0, digit);
  if (std::ranges::find(kBefore, before) == kBefore.end()) return false;
  std::size_t looked = 0;
  for (const std::string& value : column.values) {
    if (looked++ == kLooked) break;
    if (value.size() <= before.size() + unit.size() || !value.starts_with(before) || !value.ends_with(unit))
      return false;
    std::string number = value.substr(before.size(), value.size() - before.size() - unit.size());
    std::erase_if(number, [&](char c) { return c == (decimal == '.' ? ',' : '.'); });
    if (!number_in(number, decimal)) return false;
  }
  return true;
}

bool counts_rows(const ColumnProfile& column) {
  return column.numbers > 1 && column.numbers == present_in(column) && column.missing == 0 && column.whole &&
         column.counts_rows;
}

bool may_number_rows(const TableFacts& table, std::size_t column) {
  if (!table.dialect.has_header) return column == 0;
  const std::string& name = table.dialect.names[column];
  const std::string small = in_small_letters(name);
  return small.ends_with("_id") || name.ends_with("Id") || name.ends_with("ID") ||
         std::ranges::find(kRowNumbers, small) != kRowNumbers.end();
}

std::string small_yes_no(std::string_view text) {
  return yes_no_number(text) ? in_small_letters(text) : std::string(text);
}

std::vector<std::string> yes_no_texts(const ColumnProfile& column) {
  const bool says_no = !column.values.empty() && (in_small_letters(*column.values.begin()) == "no" ||
                                                  in_small_letters(*column.values.begin()) == "yes");
  return says_no ? std::vector<std::string>{"no", "yes"} : std::vector<std::string>{"false", "true"};
}

Content content_of(const TableFacts& table, std::size_t column, const std::string& name) {
  const ColumnProfile& cells = table.profile.columns[column];
  const std::int64_t present = present_in(cells);
  const std::string text = shown(cells.first_text_value);
  if (present == 0) return Content::nothing;
  if (cells.numbers == present) return Content::numbers;
  require_input(2 * cells.dates < present,
                "{}, line {}, column {}: {} is a date or a time; expected numbers or categories: {}, or replace it by "
                "numbers such as the year",
                table.file, cells.first_text, shown(name), text, ignore_option(name));
  // Half of the cells are numbers with decimals: the others are numbers in an odd form. Tickets may be whole numbers.
  const bool odd_numbers = 2 * cells.numbers >= present && !cells.whole && !cells.repeats;
  require_input(10 * cells.numbers < 9 * present && !odd_numbers,
                "{}, line {}, column {}: {}; expected a number, as in {} other rows (NA if it is missing), or {}",
                table.file, cells.first_text, shown(name), text, cells.numbers, ignore_option(name));
  require_input(!has_other_decimals(cells, table.dialect.decimal),
                "{}, line {}, column {}: {}; expected numbers with '{}' as the decimal mark, as '{}' separates the "
                "columns; or {}",
                table.file, cells.first_text, shown(name), text, table.dialect.decimal, table.dialect.separator,
                ignore_option(name));
  if (cells.yes_no < present) return Content::texts;
  const std::vector<std::string> pair = yes_no_texts(cells);
  const bool one_pair = std::ranges::all_of(
      cells.values, [&](const std::string& v) { return std::ranges::find(pair, in_small_letters(v)) != pair.end(); });
  return one_pair ? Content::yes_no : Content::texts;
}

std::optional<Useless> uselessness(const TableFacts& table, std::size_t column, Content content) {
  const ColumnProfile& cells = table.profile.columns[column];
  switch (content) {
    case Content::nothing: return Useless::nothing;
    case Content::numbers:
      if (cells.least == cells.most) return Useless::one_value;
      if (counts_rows(cells) && may_number_rows(table, column)) return Useless::row_number;
      return std::nullopt;
    case Content::yes_no:
      if (std::ranges::all_of(cells.values, [&](const auto& v) {
            return in_small_letters(v) == in_small_letters(*cells.values.begin());
          })) {
        return Useless::one_value;
      }
      return std::nullopt;
    case Content::texts: break;
  }
  if (cells.missing > 0) return std::nullopt;  // that a value is missing may say something
  if (cells.values.size() == 1) return Useless::one_value;
  if (!cells.repeats && table.profile.rows > 1) return Useless::different_texts;
  return std::nullopt;
}

}  // namespace recombine
