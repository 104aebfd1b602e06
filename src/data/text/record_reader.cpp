#include "src/data/text/record_reader.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <utility>

#include "kernels/error.hpp"
#include "src/data/text/cell.hpp"

namespace recombine {

namespace {

constexpr std::size_t kMostPiece = std::size_t{256} << 10;
constexpr std::size_t kBlock = 64;

/// A bit for each of 64 bytes: set for the separator, a quote, and the characters below 14, among them LF, CR, tab and 0.
std::uint64_t marks_in(const char* text, char separator) {
  static_assert(std::endian::native == std::endian::little);
  static constexpr std::uint64_t kGather = 0x0102040810204080;  // moves the lowest bit of each byte into the top byte
  std::array<std::uint8_t, kBlock> hits;
  for (std::size_t i = 0; i < kBlock; ++i) {  // the compiler makes vector instructions of it
    const auto c = static_cast<std::uint8_t>(text[i]);
    hits[i] = static_cast<std::uint8_t>((text[i] == separator) | (text[i] == '"') | (c < 14));
  }
  std::uint64_t marks = 0;
  for (std::size_t w = 0; w < kBlock / sizeof marks; ++w) {
    std::uint64_t word = 0;
    std::memcpy(&word, hits.data() + w * sizeof word, sizeof word);
    marks |= (word * kGather >> 56) << 8 * w;
  }
  return marks;
}

}  // namespace

RecordReader::RecordReader(const TextFile& text, char separator, const RecordRange& range)
    : text_(text),
      separator_(separator),
      range_(range),
      offset_(range.begin),
      line_(range.first_line),
      next_line_(range.first_line) {
  range_.end = std::min(range.end, text.bytes());
  buffer_.resize(kBlock);
}

std::int64_t RecordReader::position() const {
  return std::min(offset_ + static_cast<std::int64_t>(at_), text_.bytes());
}

bool RecordReader::next(std::vector<std::string_view>& cells) {
  while (offset_ + static_cast<std::int64_t>(at_) < range_.end) {
    cells.clear();
    escaped_.clear();
    lines_ = 0;
    open_quote_ = 0;
    quoted_lines_ = {};
    const Found found = split(cells);
    if (found == Found::record) return true;
    if (found == Found::too_little) read_on();
  }
  return false;
}

std::size_t RecordReader::next_mark() {
  while (marks_ == 0) {
    if (block_ >= have_) return have_;
    marks_ = marks_in(buffer_.data() + block_, separator_);
    block_ += kBlock;
  }
  const std::size_t mark = block_ - kBlock + static_cast<std::size_t>(std::countr_zero(marks_));
  marks_ &= marks_ - 1;
  return mark;
}

bool RecordReader::ends_cell(char c) const {
  return c == separator_ || c == '\n' || c == '\r' || (c == '\t' && separator_ == ' ');
}

RecordReader::Found RecordReader::split(std::vector<std::string_view>& cells) {
  for (std::size_t begin = at_;;) {
    std::size_t mark = next_mark();
    if (mark >= have_) return Found::too_little;
    if (ends_cell(buffer_[mark])) {
      add(begin, mark, cells);
    } else if (buffer_[mark] == '"') {
      if (!without_blanks({buffer_.data() + begin, mark - begin}).empty()) continue;  // a quote inside a cell is text
      if (!end_quotes(cells, mark)) return Found::too_little;
    } else {
      if (buffer_[mark] == '\0') refuse_zero();
      continue;
    }
    begin = mark + 1;
    if (buffer_[mark] == '\n' || buffer_[mark] == '\r') return end_record(mark, cells);
  }
}

void RecordReader::add(std::size_t begin, std::size_t end, std::vector<std::string_view>& cells) {
  const char* const text = buffer_.data();
  while (begin < end && (text[begin] == ' ' || text[begin] == '\t')) ++begin;
  while (begin < end && (text[end - 1] == ' ' || text[end - 1] == '\t')) --end;
  if (separator_ == ' ' && begin == end) return;
  cells.emplace_back(text + begin, end - begin);
}

/// Counts a line end inside quotes.
void RecordReader::count_line_end(std::size_t mark) {
  if (buffer_[mark] == '\n' || (buffer_[mark] == '\r' && buffer_[mark + 1] != '\n')) ++lines_;
}

/// Reads the cell whose first quote stands at `mark`. Then `mark` is the separator or the line end after the cell.
/// False: the text in the buffer ends before.
bool RecordReader::end_quotes(std::vector<std::string_view>& cells, std::size_t& mark) {
  bool inside = true, escaped = false;
  const std::size_t open = mark;
  const std::int64_t first = next_line_ + lines_;
  open_quote_ = first;
  std::size_t close = open;
  for (;;) {
    mark = next_mark();
    if (mark >= have_) return false;
    const char c = buffer_[mark];
    if (c == '\0') refuse_zero();
    if (inside && c == '"') {
      if (mark + 1 >= have_ && !ended_) return false;
      if (buffer_[mark + 1] == '"') {
        next_mark();
        escaped = true;
      } else {
        inside = false;
        open_quote_ = 0;
        close = mark;
      }
    } else if (inside) {
      count_line_end(mark);
    } else if (ends_cell(c)) {
      break;
    }
  }
  const std::int64_t last = next_line_ + lines_;
  if (last > first && quoted_lines_.first == 0) quoted_lines_ = {first, last};
  const std::string_view after(buffer_.data() + close + 1, mark - close - 1);
  const bool goes_on = !without_blanks(after).empty();
  require_input(!goes_on || last == first,
                "{}, line {}: the quote that opens here is followed by text after it closes in line {}; expected a "
                "closing quote before",
                text_.name(), first, last);
  if (escaped || goes_on) {
    escaped_.push_back({cells.size(), open + 1, mark});
    cells.emplace_back();
  } else {
    cells.push_back(without_blanks({buffer_.data() + open + 1, close - open - 1}));
  }
  return true;
}

/// Ends the record at a line end. Then no more text is needed for it, so quotes inside cells are removed in place.
RecordReader::Found RecordReader::end_record(std::size_t end, std::vector<std::string_view>& cells) {
  std::size_t next = end + 1;
  if (buffer_[end] == '\r') {
    if (next >= have_ && !ended_) return Found::too_little;
    if (next < have_ && buffer_[next] == '\n') {
      next_mark();
      ++next;
    }
  }
  const bool blank =
      cells.empty() || (cells.size() == 1 && cells[0].empty() && cells[0].data() == buffer_.data() + end);
  line_ = next_line_;
  next_line_ += lines_ + 1;
  at_ = next;
  if (blank) return Found::blank;
  for (const Escaped& cell : escaped_) {
    std::size_t to = cell.begin;
    bool inside = true;
    for (std::size_t from = cell.begin; from < cell.end; ++from) {
      const bool quote = inside && buffer_[from] == '"';
      if (quote && buffer_[from + 1] != '"') {
        inside = false;
        continue;
      }
      if (quote) ++from;
      buffer_[to++] = buffer_[from];
    }
    cells[cell.cell] = without_blanks({buffer_.data() + cell.begin, to - cell.begin});
  }
  return Found::record;
}

void RecordReader::refuse_zero() const {
  throw InputError(
      fmt::format("{}, line {}: holds a zero byte; expected a text file", text_.name(), next_line_ + lines_));
}

/// Reads more text after the record that has begun, or ends the last line of the text.
void RecordReader::read_on() {
  if (ended_) {
    require_input(open_quote_ == 0, "{}, line {}: the quote that opens here is never closed; expected another quote",
                  text_.name(), open_quote_);
    throw Error("a record has no end");
  }
  const std::size_t kept = have_ - at_;
  require_input(kept < range_.most_bytes, "{}, line {}: is longer than {} MiB{}; expected a shorter row", text_.name(),
                next_line_, range_.most_bytes >> 20,
                open_quote_ > 0 ? fmt::format(" (a quote that opens in line {} is not closed)", open_quote_) : "");
  std::memmove(buffer_.data(), buffer_.data() + at_, kept);
  offset_ += static_cast<std::int64_t>(at_);
  at_ = block_ = 0;
  marks_ = 0;
  const std::size_t piece = std::exchange(piece_, std::min(2 * piece_, kMostPiece));
  const std::int64_t left = range_.end - offset_ - static_cast<std::int64_t>(kept);
  const std::size_t wanted =
      left > 0 ? static_cast<std::size_t>(std::min(left, static_cast<std::int64_t>(piece))) : piece;
  const std::size_t more = std::min(std::max(wanted, kept), range_.most_bytes - kept);  // a long record: twice as much
  buffer_.resize(std::max(buffer_.size(), kept + more + 1 + kBlock));
  const std::size_t got = text_.read(offset_ + static_cast<std::int64_t>(kept), std::span(buffer_).subspan(kept, more));
  have_ = kept + got;
  ended_ = got < more;
  if (ended_ && have_ > 0 && buffer_[have_ - 1] != '\n' && buffer_[have_ - 1] != '\r') buffer_[have_++] = '\n';
  std::fill_n(buffer_.begin() + static_cast<std::ptrdiff_t>(have_), kBlock, '\0');
}

}  // namespace recombine
