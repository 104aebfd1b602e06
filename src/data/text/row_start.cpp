#include "src/data/text/row_start.hpp"

#include <array>
#include <string_view>
#include <vector>

#include "kernels/error.hpp"
#include "src/data/text/row_reader.hpp"

namespace recombine {

namespace {

/// The byte after the first line end at `from` or later; the end of the text if there is none.
std::int64_t after_line_end(const TextFile& text, std::int64_t from) {
  std::array<char, 4096> piece;
  bool after_cr = false;  // LF belongs to the same line end
  while (const std::size_t got = text.read(from, piece)) {
    const std::string_view read(piece.data(), got);
    if (after_cr) return from + (read[0] == '\n' ? 1 : 0);
    const std::size_t end = read.find_first_of("\r\n");
    from += static_cast<std::int64_t>(end == std::string_view::npos ? got : end + 1);
    if (end == std::string_view::npos) continue;
    if (read[end] == '\n') return from;
    after_cr = true;
  }
  return text.bytes();
}

bool is_row(const TextFile& text, const Dialect& dialect, std::int64_t begin) {
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  RecordReader records(text, dialect.separator, {.begin = begin, .end = begin + 1, .most_bytes = kMostBytes});
  std::vector<std::string_view> cells;
  try {
    if (!records.next(cells)) return true;  // a blank line, or the end
  } catch (const InputError&) {
    return false;
  }
  return cells.size() == dialect.names.size() + (dialect.empty_last ? 1 : 0);
}

}  // namespace

std::int64_t probable_row_start(const TextFile& text, const Dialect& dialect, std::int64_t from) {
  static constexpr int kTries = 32;
  const std::int64_t first = after_line_end(text, from);
  std::int64_t begin = first;
  for (int tries = 0; tries < kTries && begin < text.bytes(); ++tries) {
    if (is_row(text, dialect, begin)) return begin;
    begin = after_line_end(text, begin);
  }
  return first;
}

}  // namespace recombine
