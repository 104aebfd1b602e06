#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace recombine {

/// Columns of a line that fits every terminal.
inline constexpr std::size_t kLineWidth = 80;

/// Text in lines, which can stand next to other text: "C11 =", or the rows of a matrix.
using TextBlock = std::vector<std::string>;

/// A number with four significant digits; -0 is 0. Rounds to six digits first, so that sums which differ only in their
/// last bits, as on different meshes, give the same text if they are short decimals: 1.3075 and 1.30750001.
std::string number_text(double value);

/// The numbers of a matrix [rows, cols] in columns of equal width, with | and - between parts. A part begins at each
/// row of `row_cuts` and each column of `col_cuts`.
struct NumberGrid {
  std::span<const double> values;  ///< row by row
  std::int64_t rows = 0, cols = 0;
  std::vector<std::int64_t> row_cuts = {}, col_cuts = {};

  /// In lines of at most `width` columns: if they are too long, the first columns of the matrix come first, then the
  /// rest below. "(empty)" if there are no numbers.
  TextBlock text(std::size_t width = kLineWidth - 16) const;
};

/// Blocks of text next to each other, each in the middle of the tallest one's lines. Lines have no spaces at their end.
std::string side_by_side(const std::vector<TextBlock>& blocks, std::string_view indent);

/// Columns that the widest line takes.
std::size_t width_of(const TextBlock& block);

}  // namespace recombine
