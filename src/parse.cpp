#include "src/parse.hpp"

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
  require_input(parse_all(text, value) && value >= bounds.least && value <= bounds.most,
                "--{} '{}': a whole number {} is right", option, text,
                bounds.most == std::numeric_limits<std::int64_t>::max()
                    ? fmt::format("from {}", bounds.least)
                    : fmt::format("from {} to {}", bounds.least, bounds.most));
  return value;
}

double parse_real(std::string_view option, const std::string& text, double least) {
  double value = 0;
  require_input(parse_all(text, value) && std::isfinite(value) && value >= least,
                "--{} '{}': a number from {} is right", option, text, least);
  return value;
}

std::vector<std::int64_t> parse_widths(std::string_view option, const std::string& text) {
  static constexpr std::int64_t kWidest = std::int64_t{1} << 24;
  std::vector<std::int64_t> widths;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::int64_t width = 0;
    const bool number = parse_all(std::string_view(text).substr(begin, end - begin), width);
    require_input(number && width >= 1 && width <= kWidest && end + 1 != text.size(),
                  "--{} '{}': whole numbers from 1 with commas between, such as 1024,1024, are right", option, text);
    widths.push_back(width);
    begin = end + 1;
  }
  return widths;
}

}  // namespace recombine
