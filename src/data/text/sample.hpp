#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/data/text/text_file.hpp"

namespace recombine {

/// The first rows of a table, split at one separator.
struct Sample {
  std::vector<std::vector<std::string>> rows;
  std::int64_t first_line = 1;   ///< line of rows[0]
  std::int64_t second_byte = 0;  ///< where the row after rows[0] begins
  std::int64_t second_line = 1;  ///< line of that row
};

/// Reads up to 1,000 rows that begin in the first MiB after `begin`. @throws InputError
Sample read_sample(const TextFile& text, char separator, std::int64_t begin, std::int64_t line);

/// How well a separator fits.
struct Fit {
  std::size_t cells = 0;  ///< how many cells most rows have; less than 2: it separates nothing
  double agreeing = 0;    ///< share of rows that have this number of cells; a header may have one less
  double plain = 0;       ///< share of their cells that are not texts
};
Fit fit_of(const Sample& sample, char separator);

/// The decimal sign of the numbers: a comma if more cells are numbers with a comma than with a point.
char decimal_of(const Sample& sample, char separator);

/// True if the first row is a header: it has a text above a column of numbers, dates, or yes and no. If there is no
/// such column: none of its cells occurs again below it. Also if it is 0, 1, 2, ..., as pandas names columns.
bool has_header(const Sample& sample, char decimal);

}  // namespace recombine
