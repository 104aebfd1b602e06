#include "src/data/text/row_reader.hpp"

#include <algorithm>

#include "kernels/error.hpp"
#include "src/data/text/on_threads.hpp"

namespace recombine {

RowReader::RowReader(const TextFile& text, const Dialect& dialect, const TextChunk& chunk)
    : records_(text, dialect.separator, {chunk.begin, chunk.end, chunk.first_line}),
      separator_(dialect.separator),
      columns_(dialect.names.size()),
      empty_last_(dialect.empty_last) {}

bool RowReader::next(std::vector<std::string_view>& cells) {
  if (!records_.next(cells)) return false;
  if (cells.size() == columns_) return true;
  if (!empty_last_ || cells.size() != columns_ + 1 || !cells.back().empty()) refuse(cells);
  cells.pop_back();
  return true;
}

void RowReader::refuse(const std::vector<std::string_view>& cells) const {
  const auto is_digits = [](std::string_view cell) {
    return !cell.empty() && cell.find_first_not_of("+-0123456789") == std::string_view::npos;
  };
  const RecordReader::Lines quoted = records_.quoted_lines();
  std::string hint;
  if (quoted.first > 0) {
    hint = fmt::format(" (the quote that opens in line {} closes in line {})", quoted.first, quoted.last);
  } else if (separator_ == ',' && cells.size() == 2 * columns_ && std::ranges::all_of(cells, is_digits)) {
    hint = " (decimal commas need another separator, such as ;)";
  }
  throw InputError(fmt::format("{}, line {}: has {} value{} for {} column{}; expected one value for each{}",
                               records_.text().name(), line(), cells.size(), cells.size() == 1 ? "" : "s", columns_,
                               columns_ == 1 ? "" : "s", hint));
}

void for_each_chunk(const TextFile& text, const Dialect& dialect, const std::vector<TextChunk>& chunks,
                    const ChunkVisit& visit) {
  on_threads(chunks.size(), [&](std::size_t c) {
    RowReader rows(text, dialect, chunks[c]);
    visit(c, rows);
  });
}

}  // namespace recombine
