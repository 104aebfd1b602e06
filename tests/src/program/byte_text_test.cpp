#include "src/program/byte_text.hpp"

#include <gtest/gtest.h>

namespace recombine {
namespace {

TEST(ByteText, HasThreeDigitsAndTheUnitThatFits) {
  EXPECT_EQ(byte_text(10), "10 B");
  EXPECT_EQ(byte_text(999), "999 B");
  EXPECT_EQ(byte_text(1000), "0.977 KiB");
  EXPECT_EQ(byte_text(2 << 20), "2 MiB");
  EXPECT_EQ(byte_text(1e9), "954 MiB");
  EXPECT_EQ(byte_text(0x1p63), "8 EiB");
}

TEST(ByteText, HasAllDigitsOfALimit) {
  EXPECT_EQ(exact_byte_text(19.5), "20 bytes");
  EXPECT_EQ(exact_byte_text((2 << 20) + 1), "2097153 bytes (2 MiB)");
  EXPECT_EQ(exact_byte_text(0x1p63), "8 EiB");
}

}  // namespace
}  // namespace recombine
