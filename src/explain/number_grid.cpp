#include "src/explain/number_grid.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace recombine {

namespace {

bool contains(const std::vector<std::int64_t>& cuts, std::int64_t at) { return std::ranges::count(cuts, at) > 0; }

}  // namespace

std::size_t width_of(const TextBlock& block) {
  std::size_t width = 0;
  for (const std::string& line : block) width = std::max(width, line.size());
  return width;
}

TextBlock NumberGrid::text() const {
  TextBlock cells;
  for (const double value : values) cells.push_back(fmt::format("{:.4g}", value + 0.0));  // -0 + 0 is 0
  const std::size_t width = width_of(cells);
  TextBlock lines;
  for (std::int64_t r = 0; r < rows; ++r) {
    std::string line;
    for (std::int64_t c = 0; c < cols; ++c) {
      if (contains(col_cuts, c)) line += " |";
      if (c > 0) line += ' ';
      line += fmt::format("{:>{}}", cells[static_cast<std::size_t>(r * cols + c)], width);
    }
    if (contains(row_cuts, r)) lines.push_back(std::string(line.size(), '-'));
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string side_by_side(const std::vector<TextBlock>& blocks, std::string_view indent) {
  std::size_t height = 0;
  for (const TextBlock& block : blocks) height = std::max(height, block.size());
  std::string text;
  for (std::size_t row = 0; row < height; ++row) {
    std::string line(indent);
    for (const TextBlock& block : blocks) {
      const std::size_t top = (height - block.size()) / 2;
      const bool has_line = row >= top && row - top < block.size();
      line += fmt::format("{:<{}}", has_line ? block[row - top] : "", width_of(block));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace recombine
