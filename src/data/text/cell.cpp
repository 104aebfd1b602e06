#include "src/data/text/cell.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "src/data/text/date.hpp"
#include "src/data/text/short_number.hpp"

namespace recombine {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

bool is_digit(char c) { return static_cast<unsigned>(c - '0') < 10; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Reads digits at `at` into `value`, and returns the place after them.
const char* digits(const char* at, const char* end, std::uint64_t& value) {
  for (; at != end && is_digit(*at); ++at) value = 10 * value + static_cast<std::uint64_t>(*at - '0');
  return at;
}

/// The number, if one exact division or product makes it of its digits.
double exact_number(const char* at, const char* end, char decimal) {
  static constexpr std::ptrdiff_t kMostDigits = 18;
  if (end - at > 2 * kMostDigits) return kNone;
  const bool negative = *at == '-';
  if (negative || *at == '+') ++at;
  std::uint64_t value = 0;
  const char* const first = at;
  at = digits(at, end, value);
  std::ptrdiff_t count = at - first, exponent = 0;
  if (at != end && *at == decimal) {
    const char* const fraction = at + 1;
    at = digits(fraction, end, value);
    exponent = fraction - at;
    count -= exponent;
  }
  if (count == 0 || count > kMostDigits || value > kMostExact) return kNone;
  if (at != end && (*at == 'e' || *at == 'E')) {
    const bool minus = ++at != end && *at == '-';
    if (at != end && (minus || *at == '+')) ++at;
    std::uint64_t written = 0;
    const char* const last = digits(at, end, written);
    if (last == at || last - at > 3) return kNone;
    exponent += minus ? -static_cast<std::ptrdiff_t>(written) : static_cast<std::ptrdiff_t>(written);
    at = last;
  }
  if (at != end || exponent < -kMostExactPower || exponent > kMostExactPower) return kNone;
  const auto whole = static_cast<double>(value);
  const double size = exponent < 0 ? whole / power_of_ten(static_cast<int>(-exponent))
                                   : whole * power_of_ten(static_cast<int>(exponent));
  return negative ? -size : size;
}

/// Any number that std::from_chars reads, after a sign.
double long_number(std::string_view cell, char decimal) {
  const bool negative = cell[0] == '-';
  if (negative || cell[0] == '+') cell.remove_prefix(1);
  if (cell.empty() || !(is_digit(cell[0]) || cell[0] == decimal)) return kNone;  // nor inf, nan, or a sign again
  std::string with_point;
  if (decimal != '.') {
    if (cell.find('.') != std::string_view::npos) return kNone;
    with_point = cell;
    std::ranges::replace(with_point, decimal, '.');
    cell = with_point;
  }
  const char* const end = cell.data() + cell.size();
  double value = HUGE_VAL;
  const auto [at, error] = std::from_chars(cell.data(), end, value);
  if (at != end || error == std::errc::invalid_argument) return kNone;
  if (error == std::errc::result_out_of_range) {
    const std::size_t mark = cell.find_first_of("eE");
    const bool tiny =
        mark == std::string_view::npos ? cell[0] == '0' || cell[0] == '.' : cell.substr(mark + 1).starts_with('-');
    if (!tiny) return kNone;
    value = 0;
  }
  const auto narrow = static_cast<float>(value);
  if (!std::isfinite(narrow)) return kNone;
  if (narrow == 0) return 0;
  return negative ? -value : value;
}

/// The place of the word in the list, its letters in any case; N: it is not there.
template <std::size_t N>
std::size_t place_in(const std::array<std::string_view, N>& words, std::string_view word) {
  const auto same = [](char letter, char small) {
    return letter == small || (letter >= 'A' && letter <= 'Z' && letter + ('a' - 'A') == small);
  };
  const auto found = std::ranges::find_if(words, [&](std::string_view other) {
    return word.size() == other.size() && std::ranges::equal(word, other, same);
  });
  return static_cast<std::size_t>(found - words.begin());
}

/// The kind of a cell that does not hold a number.
CellKind kind_of_word(std::string_view cell) {
  static constexpr std::size_t kLongestWord = 8;
  static constexpr std::array<std::string_view, 16> kMissing = {
      "?",    "-",   "na",   "n/a",      "nan",    "null",    "none",    "-nan",
      "#n/a", "#na", "<na>", "#n/a n/a", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"};
  if (cell.empty()) return CellKind::missing;
  if (cell.size() <= kLongestWord) {
    if (place_in(kMissing, cell) < kMissing.size()) return CellKind::missing;
    if (yes_no_number(cell)) return CellKind::yes_no;
  }
  return is_date(cell) ? CellKind::date : CellKind::text;
}

}  // namespace

std::optional<int> yes_no_number(std::string_view cell) {
  static constexpr std::array<std::string_view, 4> kWords = {"false", "true", "no", "yes"};
  const std::size_t place = place_in(kWords, cell);
  return place < kWords.size() ? std::optional(static_cast<int>(place % 2)) : std::nullopt;
}

double parsed_number(std::string_view cell, char decimal) {
  if (cell.empty()) return kNone;
  const char first = cell.front();
  if (is_blank(first) || is_blank(cell.back())) return parsed_number(without_blanks(cell), decimal);
  // No && or ||: digits and signs come in any order, and a wrongly predicted branch takes longer than all comparisons.
  const int sign = static_cast<int>(first == '-') | static_cast<int>(first == '+') | static_cast<int>(first == decimal);
  if ((static_cast<int>(is_digit(first)) | sign) == 0) return kNone;
  double number = short_number(cell, decimal);
  if (std::isnan(number)) number = exact_number(cell.data(), cell.data() + cell.size(), decimal);
  return std::isnan(number) ? long_number(cell, decimal) : number;
}

Cell read_cell(std::string_view cell, char decimal) {
  const double number = parsed_number(cell, decimal);
  if (!std::isnan(number)) return {CellKind::number, number};
  return {kind_of_word(without_blanks(cell)), 0};
}

CellKind kind_of_cell(std::string_view cell, char decimal) { return read_cell(cell, decimal).kind; }

}  // namespace recombine
