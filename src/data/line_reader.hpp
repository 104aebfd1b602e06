#pragma once

#include <optional>
#include <string_view>

#include "src/data/unpacked_file.hpp"

namespace recombine {

/// Reads the lines of a text file one by one, without their line ends. The file may be compressed by gzip.
class LineReader {
 public:
  /// @throws InputError as UnpackedFile does
  LineReader(const std::string& path, DataBudget& budget) : file_(path, budget.growth()), budget_(budget) {}

  /// The next line, valid until the next call; none at the end of the file. Blank lines at the end are ignored.
  /// @throws InputError that names the file and the line, if a row follows a blank line or the text has a zero byte
  std::optional<std::string_view> next();
  std::int64_t number() const { return number_; }  ///< of the line that next() returned last, from 1

 private:
  std::optional<std::string_view> any_line();
  /// Drops the returned lines from the text and reads the next piece after the rest. False at the end of the file.
  bool read_on();

  UnpackedFile file_;
  DataBudget& budget_;
  std::string text_;  ///< the text in memory; next() has not yet returned the part from begin_ on
  std::size_t begin_ = 0;
  std::int64_t number_ = 0;
  bool ended_ = false;
};

}  // namespace recombine
