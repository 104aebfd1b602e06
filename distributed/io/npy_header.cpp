#include "distributed/io/npy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr const char* kExpected = "expected a matrix saved by numpy.save";

/// Bytes of a file as text for one line of a message.
std::string printable(std::string_view bytes) {
  constexpr std::size_t kMost = 40;
  std::string text;
  for (const char c : bytes.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte >= 0x20 && byte < 0x7F ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return bytes.size() > kMost ? text + "..." : text;
}

/// Parses a header, which is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class Literal {
 public:
  Literal(const std::string& name, std::string_view text) : name_(name), text_(text) {}

  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) damaged();
  }
  std::string_view quoted() {
    const char quote = take('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) damaged();
    const std::string_view inside = text_.substr(at_, end - at_);
    at_ = end + 1;
    return inside;
  }
  bool truth() {
    skip_space();
    for (const std::string_view word : {std::string_view("True"), std::string_view("False")}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return word == "True";
    }
    damaged();
  }
  std::vector<std::int64_t> extents() {
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
  std::string_view rest() {
    skip_space();
    return text_.substr(at_);
  }
  [[noreturn]] void damaged() const {
    throw InputError(fmt::format("{}: its header is damaged at '{}'; {}", name_,
                                 printable(text_.substr(std::min(at_, text_.size()))), kExpected));
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  std::int64_t extent() {
    skip_space();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error == std::errc::invalid_argument) damaged();
    require_input(error == std::errc{} && value >= 0,
                  "{}: its header announces an extent of {}; expected 0 to 2^63 - 1", name_,
                  printable({text_.data() + at_, static_cast<std::size_t>(end - text_.data()) - at_}));
    at_ = static_cast<std::size_t>(end - text_.data());
    take('L');  // Python 2 wrote 3L
    return value;
  }

  const std::string& name_;
  std::string_view text_;
  std::size_t at_ = 0;
};

std::int64_t little_endian(std::string_view bytes) {
  std::int64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

/// The literal in the file's first bytes. Sets `data_offset` to the end of the literal.
std::string_view find_literal(const std::string& name, std::string_view start, std::int64_t file_bytes,
                              std::int64_t& data_offset) {
  require_input(file_bytes > 0, "{}: is empty; {}", name, kExpected);
  require_input(start.starts_with(kMagic.substr(0, std::min(start.size(), kMagic.size()))),
                "{}: is not a .npy file (it begins with '{}'); {}", name, printable(start.substr(0, kMagic.size())),
                kExpected);
  const auto cut_short = [&](std::int64_t announced) {
    return InputError(fmt::format("{}: is cut short: has {} bytes; expected {}, as its header announces", name,
                                  file_bytes, announced));
  };
  require_input(start.size() >= 12, "{}: is cut short: {} bytes are too few for a header; {}", name, file_bytes,
                kExpected);
  const int major = static_cast<unsigned char>(start[6]);
  const int minor = static_cast<unsigned char>(start[7]);
  require_input(major >= 1 && major <= 3 && minor == 0, "{}: has .npy version {}.{}; expected 1.0, 2.0 or 3.0", name,
                major, minor);
  const std::size_t begin = major == 1 ? 10 : 12;
  const std::int64_t length = little_endian(start.substr(8, begin - 8));
  data_offset = static_cast<std::int64_t>(begin) + length;
  require_input(length <= 65535, "{}: its header is {} bytes long; expected at most 65535", name, length);
  if (data_offset > file_bytes) throw cut_short(data_offset);
  return start.substr(begin, static_cast<std::size_t>(length));
}

DataType type_named(const std::string& name, Literal& literal) {
  if (literal.rest().starts_with('[')) {
    throw InputError(fmt::format("{}: has elements of several fields; expected '<f4' or '<f8'", name));
  }
  const std::string_view descr = literal.quoted();
  require_input(descr == "<f4" || descr == "<f8", "{}: has elements of type '{}'; expected '<f4' or '<f8'", name,
                printable(descr));
  return descr == "<f4" ? DataType::f32 : DataType::f64;
}

}  // namespace

NpyHeader parse_npy_header(const std::string& name, std::string_view start, std::int64_t file_bytes) {
  NpyHeader header;
  Literal literal(name, find_literal(name, start, file_bytes, header.data_offset));
  constexpr std::array<std::string_view, 3> kKeys = {"descr", "fortran_order", "shape"};
  std::array<int, 3> seen{};
  std::vector<std::int64_t> shape;
  literal.expect('{');
  while (!literal.take('}')) {
    const auto key = static_cast<std::size_t>(std::ranges::find(kKeys, literal.quoted()) - kKeys.begin());
    if (key == kKeys.size() || seen[key]++ != 0) literal.damaged();
    literal.expect(':');
    if (key == 0) header.type = type_named(name, literal);
    if (key == 1) header.order = literal.truth() ? MatrixOrder::columns : MatrixOrder::rows;
    if (key == 2) shape = literal.extents();
    if (!literal.take(',')) {
      literal.expect('}');
      break;
    }
  }
  if (!literal.rest().empty() || std::ranges::count(seen, 1) != 3) literal.damaged();
  require_input(shape.size() == 2, "{}: has {} dimension{}; expected 2", name, shape.size(),
                shape.size() == 1 ? "" : "s");
  header.rows = shape[0];
  header.cols = shape[1];
  std::int64_t bytes = 0;
  const bool too_many = __builtin_mul_overflow(header.rows, header.cols, &bytes) ||
                        __builtin_mul_overflow(bytes, size_of(header.type), &bytes) ||
                        __builtin_add_overflow(bytes, header.data_offset, &bytes);
  require_input(!too_many, "{}: its header announces {} x {} elements, more than a file can hold; expected fewer", name,
                header.rows, header.cols);
  require_input(file_bytes >= bytes, "{}: is cut short: has {} bytes; expected {}, as its header announces", name,
                file_bytes, bytes);
  require_input(file_bytes == bytes, "{}: is too long: has {} bytes; expected {}, as its header announces", name,
                file_bytes, bytes);
  return header;
}

std::string format_npy_header(const NpyHeader& header) {
  require(header.type == DataType::f32 || header.type == DataType::f64, "no .npy file of {}", name_of(header.type));
  std::string literal = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}, {}), }}",
                                    header.type == DataType::f32 ? "<f4" : "<f8",
                                    header.order == MatrixOrder::columns ? "True" : "False", header.rows, header.cols);
  const std::size_t before = kMagic.size() + 4;
  literal.append(63 - (before + literal.size()) % 64, ' ');
  literal += '\n';
  const char low = static_cast<char>(literal.size() & 0xFF);
  const char high = static_cast<char>(literal.size() >> 8);
  return std::string(kMagic) + '\x01' + '\0' + low + high + literal;
}

}  // namespace recombine
