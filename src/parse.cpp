#include "src/parse.hpp"

#include <array>
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

std::int64_t parse_whole(std::string_view option, const std::string& text, Whole bounds) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  require_input(error == std::errc{} && at == end && value >= bounds.least && value <= bounds.most,
                "--{} '{}': a whole number {} is right", option, text,
                bounds.most == std::numeric_limits<std::int64_t>::max() && error != std::errc::result_out_of_range
                    ? fmt::format("from {}", bounds.least)
                    : fmt::format("from {} to {}", bounds.least, bounds.most));
  return value;
}

double parse_real(std::string_view option, const std::string& text, double least) {
  double value = 0;
  const bool bounded = least != std::numeric_limits<double>::lowest();
  require_input(parse_all(text, value) && std::isfinite(value) && value >= least,
                "--{} '{}': a finite number{} is right", option, text, bounded ? fmt::format(" from {}", least) : "");
  return value;
}

double parse_bytes(std::string_view option, const std::string& text) {
  static constexpr std::array<std::pair<std::string_view, double>, 8> kUnits = {{{"KiB", 0x1p10},
                                                                                 {"MiB", 0x1p20},
                                                                                 {"GiB", 0x1p30},
                                                                                 {"TiB", 0x1p40},
                                                                                 {"KB", 1e3},
                                                                                 {"MB", 1e6},
                                                                                 {"GB", 1e9},
                                                                                 {"B", 1}}};
  std::string_view number = text;
  double unit = 1;
  for (const auto& [name, bytes] : kUnits) {
    if (!number.ends_with(name)) continue;
    number.remove_suffix(name.size());
    unit = bytes;
    break;
  }
  double value = 0;
  require_input(parse_all(number, value) && std::isfinite(value * unit) && value * unit >= 1,
                "--{} '{}': an amount of memory such as 512MiB or 2GiB is right", option, text);
  return value * unit;
}

std::vector<std::int64_t> parse_widths(std::string_view option, const std::string& text) {
  static constexpr std::int64_t kWidest = std::int64_t{1} << 24;
  std::vector<std::int64_t> widths;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::int64_t width = 0;
    const bool number = parse_all(std::string_view(text).substr(begin, end - begin), width);
    require_input(number && width >= 1 && width <= kWidest && end + 1 != text.size(),
                  "--{} '{}': whole numbers from 1 to {} with commas between, such as 1024,1024, are right", option,
                  text, kWidest);
    widths.push_back(width);
    begin = end + 1;
  }
  return widths;
}

}  // namespace recombine
