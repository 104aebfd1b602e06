#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "distributed/io/byte_order.hpp"

namespace recombine {

/// How the characters of a text are encoded. latin1: Windows-1252, which has a few more characters than Latin-1.
enum class Encoding { utf8, latin1 };

bool is_utf8(std::string_view text);

/// The number of bytes before the first one that is not UTF-8. An incomplete character at the end counts as UTF-8.
std::size_t utf8_prefix(std::string_view text);

/// A text as UTF-8.
std::string utf8(std::string_view text, Encoding encoding);

/// Converts UTF-16 to UTF-8, piece by piece. Half of a surrogate pair becomes U+FFFD.
class Utf16Decoder {
 public:
  explicit Utf16Decoder(ByteOrder order) : order_(order) {}
  /// Appends the text of the next bytes to `to`.
  void add(std::string_view bytes, std::string& to);
  /// Appends U+FFFD if the text ended with an incomplete character.
  void end(std::string& to);

 private:
  void add_unit(char32_t unit, std::string& to);

  ByteOrder order_;
  std::string kept_;   ///< first byte of a unit
  char32_t high_ = 0;  ///< first half of a pair; 0: none
};

}  // namespace recombine
