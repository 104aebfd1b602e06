#pragma once

#include <cmath>
#include <optional>
#include <string_view>

namespace recombine {

/// What the text of a cell is.
enum class CellKind { missing, number, yes_no, date, text };

/// The kind of a cell without its quotes and the spaces around it. Missing: empty, NA, N/A, NaN, null, none, ?, - and the
/// other words that pandas takes for it (#N/A, #NA, #N/A N/A, <NA>, -NaN, 1.#IND, -1.#IND, 1.#QNAN, -1.#QNAN), in any
/// case of the letters. Yes_no: true, false, yes or no, in any case. Date: such as 2021-03-04, 4.3.2021, 03/04/2021,
/// 4-Mar-21, Mar 2021, each also with a time; a time or a duration, such as 12:30 or 1 days 02:00:00.
CellKind kind_of_cell(std::string_view cell, char decimal);

/// 0 for false and no, 1 for true and yes, in any case of letters; none for other texts.
std::optional<int> yes_no_number(std::string_view cell);

/// The number in a cell: "1.5", "+1.5", "1e-3"; with the decimal sign ',' "1,5". NaN: the cell is not a finite number
/// in the range of f32 (numbers too small for f32 become 0).
double parsed_number(std::string_view cell, char decimal);

/// The same as parsed_number(); none instead of NaN.
inline std::optional<double> number_in(std::string_view cell, char decimal) {
  const double number = parsed_number(cell, decimal);
  return std::isnan(number) ? std::nullopt : std::optional(number);
}

/// Kind and number at once.
struct Cell {
  CellKind kind = CellKind::missing;
  double number = 0;  ///< if it is one
};
Cell read_cell(std::string_view cell, char decimal);

/// The text without the spaces and tabs around it.
inline std::string_view without_blanks(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace recombine
