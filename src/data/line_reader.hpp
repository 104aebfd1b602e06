#pragma once

#include <optional>
#include <string_view>

#include "src/data/unpacked_file.hpp"

namespace recombine {

/// The lines of a text file, which may be gzip, one after the other and without their ends.
class LineReader {
 public:
  /// @throws InputError as UnpackedFile does
  LineReader(const std::string& path, DataBudget& budget) : file_(path, budget.growth()), budget_(budget) {}

  /// Valid until the next call; none at the end, before which blank lines do not count.
  /// @throws InputError naming file and line if a blank line is in the middle, or a zero byte is in the text
  std::optional<std::string_view> next();
  std::int64_t number() const { return number_; }  ///< of the line that next() returned last, from 1

 private:
  std::optional<std::string_view> any_line();
  /// Makes room behind what is left of the text and reads on. False at the end of the file.
  bool read_on();

  UnpackedFile file_;
  DataBudget& budget_;
  std::string text_;  ///< read, and from begin_ on not yet returned
  std::size_t begin_ = 0;
  std::int64_t number_ = 0;
  bool ended_ = false;
};

}  // namespace recombine
