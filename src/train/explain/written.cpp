#include "src/train/explain/written.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace recombine {

std::string factor(double value) {
  const std::string text = number_text(value);
  return text.starts_with('-') ? "(" + text + ")" : text;
}

std::string product(double a, double b) { return factor(a) + "*" + factor(b); }

std::string written_sum(std::string_view head, const std::vector<std::string>& terms, std::string_view tail) {
  std::string text, line(head);
  for (std::size_t n = 0; n < terms.size(); ++n) {
    const bool last = n + 1 == terms.size();
    const std::string added = (n == 0 ? "" : " + ") + terms[n] + (last ? std::string(tail) : "");
    if (n > 0 && line.size() + added.size() > kLineWidth) {
      text += line + '\n';
      line = std::string(head.size(), ' ') + added.substr(1);
    } else {
      line += added;
    }
  }
  return text + line + '\n';
}

std::string equation(std::initializer_list<EquationPart> parts, std::string_view indent) {
  return equation(std::span<const EquationPart>(parts.begin(), parts.size()), indent);
}

Numbers rounded(Numbers numbers) {
  const std::vector<double> sizes(static_cast<std::size_t>(numbers.cols), largest(numbers));
  return rounded(std::move(numbers), sizes);
}

Numbers rounded(Numbers numbers, const std::vector<double>& column_sizes) {
  constexpr int kDigits = 6;
  for (std::size_t n = 0; n < numbers.values.size(); ++n) {
    double& value = numbers.values[n];
    const double size = column_sizes[n % column_sizes.size()];
    if (std::abs(value) >= 0.01 * size) continue;
    const double last = std::pow(10, std::floor(std::log10(size)) + 1 - kDigits);
    value = std::round(value / last) * last;
  }
  return numbers;
}

TextBlock grid(const Numbers& numbers) {
  TextBlock lines = NumberGrid{numbers.values, numbers.rows, numbers.cols}.text();
  for (std::string& line : lines) line = "[" + line + "]";
  return lines;
}

Numbers transposed(const Numbers& numbers) {
  Numbers result{.rows = numbers.cols, .cols = numbers.rows};
  for (std::int64_t r = 0; r < result.rows; ++r) {
    for (std::int64_t c = 0; c < result.cols; ++c) result.values.push_back(numbers.at(c, r));
  }
  return result;
}

std::string shape_of(const Numbers& numbers) { return fmt::format("[{},{}]", numbers.rows, numbers.cols); }

std::string range_text(std::string_view word, Range range) {
  if (range.size() <= 0) return fmt::format("no {}", word);
  if (range.size() == 1) return fmt::format("{} {}", word, range.end);
  return fmt::format("{}s {}-{}", word, range.begin + 1, range.end);
}

}  // namespace recombine
