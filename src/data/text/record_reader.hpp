#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "src/data/text/text_file.hpp"

namespace recombine {

/// Which records of a text to read.
struct RecordRange {
  std::int64_t begin = 0, end = 0;  ///< bytes: records that begin in [begin, end); the last one may end later
  std::int64_t first_line = 1;      ///< line number at `begin`
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  std::size_t most_bytes = kMostBytes;  ///< of one record
};

/// Splits text into records, and records into cells, as in RFC 4180. A line ends with LF, CR LF or CR; blank lines are
/// not records. A cell that begins with a quote may contain separators and line ends; inside it, "" is a quote. If the
/// separator is a space, any spaces and tabs between two cells are one separator.
class RecordReader {
 public:
  RecordReader(const TextFile& text, char separator, const RecordRange& range);

  /// The cells of the next record, without quotes and the spaces around them; valid until the next call. False at the
  /// end. @throws InputError that names file and line: a quote that is never closed, a zero byte, a record too long
  bool next(std::vector<std::string_view>& cells);

  const TextFile& text() const { return text_; }
  std::int64_t line() const { return line_; }            ///< first line of the latest record of next()
  std::int64_t next_line() const { return next_line_; }  ///< line after that record
  std::int64_t position() const;                         ///< byte after that record
  /// Lines in which the record's first quoted cell of several lines begins and ends; 0: it has none.
  struct Lines {
    std::int64_t first = 0, last = 0;
  };
  Lines quoted_lines() const { return quoted_lines_; }

 private:
  enum class Found { record, blank, too_little };

  Found split(std::vector<std::string_view>& cells);
  Found end_record(std::size_t end, std::vector<std::string_view>& cells);
  bool end_quotes(std::vector<std::string_view>& cells, std::size_t& mark);
  void add(std::size_t begin, std::size_t end, std::vector<std::string_view>& cells);
  std::size_t next_mark();
  bool ends_cell(char c) const;
  void count_line_end(std::size_t mark);
  [[noreturn]] void refuse_zero() const;
  void read_on();

  const TextFile& text_;
  char separator_;
  RecordRange range_;
  std::vector<char> buffer_;  ///< the text from byte offset_ on: have_ bytes, then at least kBlock zeros
  std::int64_t offset_;
  std::size_t have_ = 0;
  std::size_t at_ = 0;        ///< where the next record begins
  std::size_t piece_ = 4096;  ///< bytes to read next
  bool ended_ = false;        ///< the buffer reaches the end of the text

  std::size_t block_ = 0;    ///< where the block of 64 bytes after the current one begins
  std::uint64_t marks_ = 0;  ///< of the current block: bytes that may end a cell, still to be looked at
  std::int64_t line_, next_line_;
  std::int64_t lines_ = 0;       ///< line ends in the record so far
  std::int64_t open_quote_ = 0;  ///< line of the quote that is open; 0: none
  Lines quoted_lines_;
  struct Escaped {
    std::size_t cell, begin, end;
  };
  std::vector<Escaped> escaped_;  ///< quoted cells of the record that contain quotes
};

}  // namespace recombine
