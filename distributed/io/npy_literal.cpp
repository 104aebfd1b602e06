#include "distributed/io/npy_literal.hpp"

#include <algorithm>
#include <charconv>

#include "kernels/error.hpp"

namespace recombine {

std::string printable(std::string_view bytes) {
  constexpr std::size_t kMost = 40;
  std::string text;
  for (const char c : bytes.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte >= 0x20 && byte < 0x7F ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return bytes.size() > kMost ? text + "..." : text;
}

bool NpyLiteral::take(char c) {
  skip_space();
  if (at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

void NpyLiteral::expect(char c) {
  if (!take(c)) damaged();
}

std::string_view NpyLiteral::quoted() {
  static constexpr std::string_view kPrefixes = "uUrR";  // u'': Python 2
  skip_space();
  if (at_ < text_.size() && kPrefixes.find(text_[at_]) != std::string_view::npos) ++at_;
  const char quote = take('"') ? '"' : '\'';
  if (quote == '\'') expect('\'');
  const std::size_t end = text_.find(quote, at_);
  if (end == std::string_view::npos) damaged();
  const std::string_view inside = text_.substr(at_, end - at_);
  at_ = end + 1;
  return inside;
}

bool NpyLiteral::truth() {
  skip_space();
  for (const std::string_view word : {std::string_view("True"), std::string_view("False")}) {
    if (!text_.substr(at_).starts_with(word)) continue;
    at_ += word.size();
    return word == "True";
  }
  damaged();
}

std::vector<std::int64_t> NpyLiteral::extents() {
  std::vector<std::int64_t> found;
  expect('(');
  while (!take(')')) {
    found.push_back(extent());
    if (!take(',')) {
      expect(')');
      break;
    }
  }
  return found;
}

std::string_view NpyLiteral::rest() {
  skip_space();
  return text_.substr(at_);
}

void NpyLiteral::damaged() const {
  throw InputError(fmt::format("{}: its header is damaged at '{}'; {}", name_,
                               printable(text_.substr(std::min(at_, text_.size()))), kExpectedNpy));
}

void NpyLiteral::skip_space() {
  static constexpr std::string_view kSpace = " \t\n\r\f";
  while (at_ < text_.size()) {
    if (text_[at_] == '#') at_ = std::min(text_.find('\n', at_), text_.size());
    if (at_ == text_.size() || kSpace.find(text_[at_]) == std::string_view::npos) return;
    ++at_;
  }
}

std::int64_t NpyLiteral::extent() {
  take('+');
  skip_space();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
  if (error == std::errc::invalid_argument) damaged();
  require_input(error == std::errc{} && value >= 0, "{}: its header announces an extent of {}; expected 0 to 2^63 - 1",
                name_, printable({text_.data() + at_, static_cast<std::size_t>(end - text_.data()) - at_}));
  at_ = static_cast<std::size_t>(end - text_.data());
  take('L');  // Python 2 wrote 3L
  return value;
}

}  // namespace recombine
