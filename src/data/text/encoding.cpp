#include "src/data/text/encoding.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace recombine {

namespace {

constexpr char32_t kReplacement = 0xFFFD;

/// Windows-1252 from 0x80 to 0x9F; 0: the same as in Latin-1.
constexpr std::array<char32_t, 32> kWindows1252 = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                   0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                                   0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                   0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

void append(char32_t code, std::string& to) {
  const auto next = [&](unsigned shift) { to += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xC0 | code >> 6);
    next(0);
  } else if (code < 0x10000) {
    to += static_cast<char>(0xE0 | code >> 12);
    next(6), next(0);
  } else {
    to += static_cast<char>(0xF0 | code >> 18);
    next(12), next(6), next(0);
  }
}

/// Bytes of the valid UTF-8 sequence at the beginning of `text`; 0: there is none (RFC 3629, section 4).
std::size_t sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i, unsigned least, unsigned most) {
    return byte(i) >= least && byte(i) <= most;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned least = first == 0xE0 ? 0xA0 : 0x80, most = first == 0xED ? 0x9F : 0xBF;
    return follows(1, least, most) && follows(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first < 0xF0 || first > 0xF4) return 0;
  const unsigned least = first == 0xF0 ? 0x90 : 0x80, most = first == 0xF4 ? 0x8F : 0xBF;
  return follows(1, least, most) && follows(2, 0x80, 0xBF) && follows(3, 0x80, 0xBF) ? 4 : 0;
}

/// Bytes of `text` up to the first that is not UTF-8.
std::size_t valid_bytes(std::string_view text) {
  static constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t word = 0;
    if (text.size() - at >= sizeof word) {
      std::memcpy(&word, text.data() + at, sizeof word);
      if ((word & kHighBits) == 0) {
        at += sizeof word;
        continue;
      }
    }
    const std::size_t bytes = sequence(text.substr(at, 4));
    if (bytes == 0) break;
    at += bytes;
  }
  return at;
}

}  // namespace

bool is_utf8(std::string_view text) { return valid_bytes(text) == text.size(); }

std::size_t utf8_prefix(std::string_view text) {
  static constexpr std::size_t kLongest = 4;
  const std::size_t valid = valid_bytes(text);
  std::string rest(text.substr(valid));
  if (rest.size() >= kLongest) return valid;
  for (std::size_t i = 1; i < kLongest; ++i) {  // what may follow
    for (const char next : {'\x80', '\x90', '\xA0'}) {
      if (sequence(rest + std::string(i, next)) > rest.size()) return text.size();
    }
  }
  return valid;
}

std::string utf8(std::string_view text, Encoding encoding) {
  if (encoding == Encoding::utf8) return std::string(text);
  std::string to;
  for (const char c : text) {
    const char32_t code = static_cast<std::uint8_t>(c);
    const char32_t other = code >= 0x80 && code < 0xA0 ? kWindows1252[code - 0x80] : 0;
    append(other != 0 ? other : code, to);
  }
  return to;
}

void Utf16Decoder::add_unit(char32_t unit, std::string& to) {
  const bool is_high = unit >= 0xD800 && unit < 0xDC00, is_low = unit >= 0xDC00 && unit < 0xE000;
  const char32_t high = std::exchange(high_, 0);
  if (high != 0 && is_low) return append(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00), to);
  if (high != 0) append(kReplacement, to);
  if (is_high) {
    high_ = unit;
  } else {
    append(is_low ? kReplacement : unit, to);
  }
}

void Utf16Decoder::add(std::string_view bytes, std::string& to) {
  for (const char byte : bytes) {
    if (kept_.empty()) {
      kept_ += byte;
      continue;
    }
    const char32_t first = static_cast<std::uint8_t>(kept_[0]), second = static_cast<std::uint8_t>(byte);
    kept_.clear();
    add_unit(order_ == ByteOrder::little ? second << 8 | first : first << 8 | second, to);
  }
}

void Utf16Decoder::end(std::string& to) {
  if (!kept_.empty() || high_ != 0) append(kReplacement, to);
}

}  // namespace recombine
