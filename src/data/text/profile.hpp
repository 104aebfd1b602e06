#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "src/data/text/row_reader.hpp"

namespace recombine {

/// What the cells of a column are. Line numbers are those of the file, from 1; 0: there is none.
struct ColumnProfile {
  std::int64_t missing = 0, numbers = 0, yes_no = 0, dates = 0, texts = 0;  ///< cells of each kind
  std::int64_t first_missing = 0;                                           ///< line
  std::int64_t first_text = 0;  ///< line of the first cell that is a text, a date, yes or no
  std::string first_text_value;
  bool whole = true;           ///< all numbers are whole
  bool counts_rows = true;     ///< every cell is a number: that of the previous row plus 1
  double least = 0, most = 0;  ///< of the numbers
  /// The different cells that are not missing, as UTF-8 texts; only the first ones of the file: at most kMostNumbers
  /// numbers or kMostTexts other texts, and fewer if the table has more than 200 columns (numbers) or 20 (texts).
  std::set<std::string> values;
  bool has_more_values = false;  ///< there are more than `values` has
  bool repeats = false;          ///< one of `values` occurs twice
  static constexpr std::size_t kMostNumbers = 1000, kMostTexts = 100000;
};

struct TableProfile {
  std::int64_t rows = 0;
  std::vector<TextChunk> chunks;
  std::vector<ColumnProfile> columns;
};

/// Reads the whole table once, on several threads. Sets dialect.encoding if the text turns out to be Latin-1.
/// @throws InputError that names file, line and column
TableProfile profile_table(const TextFile& text, Dialect& dialect);

/// The same, in chunks of about `chunk_bytes`. Of the profile, only `chunks` depends on this size.
TableProfile profile_table(const TextFile& text, Dialect& dialect, std::int64_t chunk_bytes);

}  // namespace recombine
