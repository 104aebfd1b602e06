#include "src/program/parse.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

namespace recombine {

namespace {

template <class T>
bool parse_all(std::string_view text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && at == end;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  static constexpr std::string_view kSpace = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

std::string Whole::to_string() const {
  if (most == std::numeric_limits<std::int64_t>::max()) return fmt::format("a whole number >= {}", least);
  return fmt::format("a whole number from {} to {}", least, most);
}

std::optional<std::int64_t> whole_from(std::string_view text, Whole bounds) {
  std::int64_t value = 0;
  if (!parse_all(text, value) || value < bounds.least || value > bounds.most) return std::nullopt;
  return value;
}

std::int64_t parse_whole(std::string_view option, const std::string& text, Whole bounds) {
  const std::optional<std::int64_t> value = whole_from(text, bounds);
  std::int64_t ignored = 0;
  // For a number of more than 63 bits, ">= 1" would not say what is wrong.
  const bool too_long =
      std::from_chars(text.data(), text.data() + text.size(), ignored).ec == std::errc::result_out_of_range;
  require_input(value.has_value(), "--{} '{}': expected {}", option, text,
                too_long ? fmt::format("a whole number from {} to {}", bounds.least, bounds.most) : bounds.to_string());
  return *value;
}

double parse_real(std::string_view option, const std::string& text, double least) {
  double value = 0;
  const bool bounded = least != std::numeric_limits<double>::lowest();
  require_input(parse_all(text, value) && std::isfinite(value) && value >= least,
                "--{} '{}': expected a finite number{}", option, text, bounded ? fmt::format(" >= {}", least) : "");
  return value;
}

double parse_bytes(std::string_view option, const std::string& text) {
  // All names before "B" end with it, so "B" comes last.
  static constexpr std::array<std::pair<std::string_view, double>, 13> kUnits = {{{"KiB", 0x1p10},
                                                                                  {"MiB", 0x1p20},
                                                                                  {"GiB", 0x1p30},
                                                                                  {"TiB", 0x1p40},
                                                                                  {"K", 0x1p10},
                                                                                  {"M", 0x1p20},
                                                                                  {"G", 0x1p30},
                                                                                  {"T", 0x1p40},
                                                                                  {"KB", 1e3},
                                                                                  {"MB", 1e6},
                                                                                  {"GB", 1e9},
                                                                                  {"TB", 1e12},
                                                                                  {"B", 1}}};
  std::string_view number = text;
  double unit = 1;
  for (const auto& [name, bytes] : kUnits) {
    if (!number.ends_with(name)) continue;
    number.remove_suffix(name.size());
    unit = bytes;
    break;
  }
  static constexpr double kTooLarge = 0x1p63;
  double value = 0;
  require_input(parse_all(number, value) && std::isfinite(value) && value * unit >= 1,
                "--{} '{}': expected an amount of memory such as 512M or 2GiB", option, text);
  require_input(value * unit < kTooLarge, "--{} '{}': expected less than 8388608TiB, which is 2^63 bytes", option,
                text);
  return value * unit;
}

double parse_duration(std::string_view option, const std::string& text) {
  static constexpr std::array<std::pair<char, double>, 4> kUnits = {{{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
  static constexpr double kLongest = 3650 * 86400.0;
  std::string_view left = text;
  double seconds = 0;
  for (const auto& [unit, length] : kUnits) {
    const std::size_t digits = std::min(left.find_first_not_of("0123456789"), left.size());
    if (digits == left.size() || left[digits] != unit) continue;
    std::int64_t count = 0;
    if (!parse_all(left.substr(0, digits), count)) break;
    seconds += static_cast<double>(count) * length;
    left.remove_prefix(digits + 1);
  }
  require_input(left.empty() && seconds >= 1 && seconds <= kLongest,
                "--{} '{}': expected a duration from 1s to 3650d, such as 90s, 55m or 1h30m", option, text);
  return seconds;
}

std::vector<float> parse_floats(std::string_view option, const std::string& text) {
  std::vector<float> values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = trimmed(std::string_view(text).substr(begin, end - begin));
    float value = 0;
    require_input(parse_all(part, value) && std::isfinite(value),
                  "--{} '{}': '{}' is not a finite number; expected numbers separated by commas, such as 0.5,0.7",
                  option, text, part);
    values.push_back(value);
    begin = end + 1;
  }
  return values;
}

std::vector<std::int64_t> parse_widths(std::string_view option, const std::string& text) {
  static constexpr std::int64_t kWidest = std::int64_t{1} << 24;
  std::vector<std::int64_t> widths;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::int64_t width = 0;
    const bool number = parse_all(std::string_view(text).substr(begin, end - begin), width);
    require_input(number && width >= 1 && width <= kWidest && end + 1 != text.size(),
                  "--{} '{}': expected whole numbers from 1 to {} separated by commas, such as 1024,1024", option, text,
                  kWidest);
    widths.push_back(width);
    begin = end + 1;
  }
  return widths;
}

}  // namespace recombine
