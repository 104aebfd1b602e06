#include "src/data/text/encoding.hpp"

#include <gtest/gtest.h>

namespace recombine {
namespace {

TEST(Encoding, FindsUtf8) {
  for (const char* text : {"", "plain",
                           "gr\xC3\xB6\xC3\x9F"
                           "e",
                           "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "a long line of letters \xC3\xB6"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const char* text :
       {"gr\xF6\xDF"
        "e",
        "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "a long line of letters \xF6"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Encoding, ACutCharacterIsUtf8) {
  for (const std::string text : {"\xC3\xB6", "\xE2\x82\xAC", "\xE0\xA0\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    for (std::size_t bytes = 0; bytes <= text.size(); ++bytes) {
      EXPECT_EQ(utf8_prefix("ab" + text.substr(0, bytes)), 2 + bytes) << text;
    }
  }
  EXPECT_EQ(utf8_prefix("ab\xF6"), 2U) << "no sequence begins so";
  EXPECT_EQ(utf8_prefix("ab\xF6 is"), 2U);
  EXPECT_EQ(utf8_prefix("ab\xFF"), 2U);
}

TEST(Encoding, ConvertsWindows1252) {
  EXPECT_EQ(utf8("stra\xDF"
                 "e",
                 Encoding::latin1),
            "stra\xC3\x9F"
            "e");
  EXPECT_EQ(utf8("5 \x80 \x99", Encoding::latin1), "5 \xE2\x82\xAC \xE2\x84\xA2");
  EXPECT_EQ(utf8("\xC3\x9F", Encoding::utf8), "\xC3\x9F");
}

TEST(Encoding, DecodesUtf16InAnyPieces) {
  const std::string little(
      "a\0\xF6\0\xAC\x20\x3D\xD8\x00\xDE"
      "b\0",
      12);
  std::string big;
  for (std::size_t i = 0; i < little.size(); i += 2) big += {little[i + 1], little[i]};
  const std::string expected =
      "a\xC3\xB6\xE2\x82\xAC\xF0\x9F\x98\x80"
      "b";
  for (std::size_t cut = 0; cut <= little.size(); ++cut) {
    for (const auto& [bytes, order] : {std::pair(little, ByteOrder::little), std::pair(big, ByteOrder::big)}) {
      Utf16Decoder decoder(order);
      std::string text;
      decoder.add(bytes.substr(0, cut), text);
      decoder.add(bytes.substr(cut), text);
      decoder.end(text);
      EXPECT_EQ(text, expected) << cut;
    }
  }
}

TEST(Encoding, HalfOfAPairIsReplaced) {
  const auto decoded = [](std::string_view bytes) {
    Utf16Decoder decoder(ByteOrder::big);
    std::string text;
    decoder.add(bytes, text);
    decoder.end(text);
    return text;
  };
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_EQ(decoded({"\xD8\x3D\0a", 4}), replacement + "a");
  EXPECT_EQ(decoded({"\xDE\0\0a", 4}), replacement + "a");
  EXPECT_EQ(decoded({"\0a\xD8\x3D", 4}), "a" + replacement);
  EXPECT_EQ(decoded({"\0a\0", 3}), "a" + replacement);
}

}  // namespace
}  // namespace recombine
