#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/data/text/encoding.hpp"
#include "src/data/text/text_file.hpp"

namespace recombine {

enum class Header { automatic, given, none };

/// Options for reading a table of text.
struct TextOptions {
  std::optional<char> separator;  ///< none: it is detected. ' ': any spaces and tabs between cells
  Header header = Header::automatic;
};

/// How the text of a table is written.
struct Dialect {
  char separator = ',';
  char decimal = '.';
  Encoding encoding = Encoding::utf8;
  bool has_header = true;
  bool empty_last = false;         ///< every row ends with a separator: the empty cell after it is no column
  std::int64_t first_byte = 0;     ///< where the first row of data begins
  std::int64_t first_line = 1;     ///< its number in the file, from 1
  std::vector<std::string> names;  ///< UTF-8; one for each column, "" if it has none; without a header 1, 2, ...
  std::vector<std::string> notes;  ///< what was detected and a user should know: "x.csv: ';' separates the columns"
};

/// Detects how a table is written, from the beginning of its text. @throws InputError
Dialect find_dialect(const TextFile& text, const TextOptions& options);

/// The note about a text that is not UTF-8; `line`: the first line that shows it.
std::string latin1_note(const TextFile& text, std::int64_t line);

}  // namespace recombine
