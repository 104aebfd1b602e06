#include "src/explain/number_grid.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace recombine {

namespace {

bool contains(const std::vector<std::int64_t>& cuts, std::int64_t at) { return std::ranges::count(cuts, at) > 0; }

/// The texts of all numbers, and which of their columns are drawn.
struct Cells {
  const NumberGrid& grid;
  TextBlock texts;
  std::int64_t first = 0, end = 0;

  TextBlock lines() const {
    const std::size_t width = width_of(texts);
    TextBlock lines;
    for (std::int64_t r = 0; r < grid.rows; ++r) {
      std::string line;
      for (std::int64_t c = first; c < end; ++c) {
        if (c > first && contains(grid.col_cuts, c)) line += " |";
        if (c > first) line += ' ';
        line += fmt::format("{:>{}}", texts[static_cast<std::size_t>(r * grid.cols + c)], width);
      }
      if (contains(grid.row_cuts, r)) lines.push_back(std::string(line.size(), '-'));
      lines.push_back(std::move(line));
    }
    return lines;
  }
};

}  // namespace

std::string number_text(double value) {
  const double rounded = std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
  return fmt::format("{:.4g}", rounded + 0.0);  // -0 + 0 is 0
}

std::size_t width_of(const TextBlock& block) {
  std::size_t width = 0;
  for (const std::string& line : block) width = std::max(width, line.size());
  return width;
}

TextBlock NumberGrid::text(std::size_t width) const {
  if (rows == 0 || cols == 0) return {"(empty)"};
  Cells cells{.grid = *this, .texts = {}, .end = cols};
  for (const double value : values) cells.texts.push_back(number_text(value));
  TextBlock all = cells.lines();
  if (width_of(all) <= width) return all;
  all.clear();
  for (cells.first = 0; cells.first < cols; cells.first = cells.end) {
    for (cells.end = cols; cells.end > cells.first + 1 && width_of(cells.lines()) > width;) --cells.end;
    all.push_back(fmt::format("columns {} to {}:", cells.first + 1, cells.end));
    for (std::string& line : cells.lines()) all.push_back(std::move(line));
  }
  return all;
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
