#include "src/data/line_reader.hpp"

#include <algorithm>

#include "kernels/error.hpp"

namespace recombine {

namespace {

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t") == std::string_view::npos; }

}  // namespace

bool LineReader::read_on() {
  static constexpr std::size_t kPiece = std::size_t{1} << 20;
  if (ended_) return false;
  text_.erase(0, begin_);
  begin_ = 0;
  const std::size_t have = text_.size();
  budget_.require_room(file_.path(), static_cast<double>(have + kPiece));
  text_.resize(have + kPiece);
  const std::size_t got = file_.read(std::span(text_).subspan(have));
  text_.resize(have + got);
  require_input(text_.find('\0', have) == std::string::npos, "{}: holds a zero byte; expected a text file",
                file_.path());
  ended_ = got < kPiece;
  return got > 0;
}

std::optional<std::string_view> LineReader::any_line() {
  std::size_t end = text_.find('\n', begin_);
  while (end == std::string::npos) {
    const std::size_t searched = text_.size() - begin_;
    if (!read_on()) break;
    end = text_.find('\n', searched);  // the part before was searched already
  }
  if (end == std::string::npos && begin_ == text_.size()) return std::nullopt;
  end = std::min(end, text_.size());
  std::string_view line = std::string_view(text_).substr(begin_, end - begin_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  begin_ = std::min(end + 1, text_.size());
  ++number_;
  return line;
}

std::optional<std::string_view> LineReader::next() {
  std::optional<std::string_view> line = any_line();
  if (!line || !is_blank(*line)) return line;
  const std::int64_t blank = number_;
  while (line && is_blank(*line)) line = any_line();
  require_input(!line.has_value(), "{}, line {}: is blank; expected rows without a gap", file_.path(), blank);
  return std::nullopt;
}

}  // namespace recombine
