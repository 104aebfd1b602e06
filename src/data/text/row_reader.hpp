#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "src/data/text/dialect.hpp"
#include "src/data/text/record_reader.hpp"

namespace recombine {

/// A part of a table's text: whole rows, which one thread reads.
struct TextChunk {
  std::int64_t begin = 0, end = 0;  ///< bytes
  std::int64_t first_row = 0;       ///< rows of data before it
  std::int64_t rows = 0;
  std::int64_t first_line = 1;  ///< line number at `begin`
};

/// Reads the rows of a chunk one by one. Blank lines are skipped, and so are lines that begin with # before the header.
/// `text` must outlive the reader.
class RowReader {
 public:
  RowReader(const TextFile& text, const Dialect& dialect, const TextChunk& chunk);

  /// The cells of the next row, as bytes in the text's encoding, without quotes and the spaces around them; valid until
  /// the next call. False at the end.
  /// @throws InputError that names file and line, if the row does not have a cell for each column
  bool next(std::vector<std::string_view>& cells);
  std::int64_t line() const { return records_.line(); }  ///< first line of the latest row of next(), from 1
  const RecordReader& records() const { return records_; }

 private:
  [[noreturn]] void refuse(const std::vector<std::string_view>& cells) const;

  RecordReader records_;
  char separator_;
  std::size_t columns_;
  bool empty_last_;
};

/// Calls `visit(chunk index, reader)` for each chunk, on several threads. @throws the error of the first chunk that
/// fails, in the order of the file
using ChunkVisit = std::function<void(std::size_t chunk, RowReader& rows)>;
void for_each_chunk(const TextFile& text, const Dialect& dialect, const std::vector<TextChunk>& chunks,
                    const ChunkVisit& visit);

}  // namespace recombine
