#include "src/explain/number_grid.hpp"

#include <array>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

namespace recombine {
namespace {

constexpr std::array<double, 6> kNumbers{1, -2.5, 0.12345, 10, 0, -1e-9};

TEST(NumberGrid, NumbersStandInColumns) {
  const TextBlock lines = NumberGrid{kNumbers, 2, 3}.text();
  EXPECT_EQ(lines, (TextBlock{"     1   -2.5 0.1235", "    10      0 -1e-09"}));
}

TEST(NumberGrid, LinesSeparateParts) {
  const TextBlock lines = NumberGrid{std::span(kNumbers).first(4), 2, 2, {1}, {1}}.text();
  EXPECT_EQ(lines, (TextBlock{"     1 |   -2.5", "---------------", "0.1235 |     10"}));
}

TEST(NumberGrid, MinusZeroIsZero) {
  EXPECT_EQ(number_text(-0.0), "0");
  EXPECT_EQ(number_text(-0.5), "-0.5");
  EXPECT_EQ(number_text(123456), "1.235e+05");
}

/// Meshes add in different orders. A short decimal that f32 cannot hold has the same text for all of them.
TEST(NumberGrid, LastBitsOfASumDoNotShow) {
  EXPECT_EQ(number_text(1.30749997), number_text(1.30750009));
  EXPECT_EQ(number_text(static_cast<double>(0.1F)), "0.1");
}

TEST(NumberGrid, EmptyMatrixSaysSo) {
  EXPECT_EQ((NumberGrid{{}, 0, 3}.text()), TextBlock{"(empty)"});
  EXPECT_EQ((NumberGrid{{}, 3, 0}.text()), TextBlock{"(empty)"});
}

/// No number is lost, and no line is too long.
TEST(NumberGrid, WideMatrixContinuesBelow) {
  std::array<double, 16> numbers{};
  std::iota(numbers.begin(), numbers.end(), 100);
  const TextBlock lines = NumberGrid{numbers, 2, 8, {1}, {4}}.text(20);
  EXPECT_EQ(lines, (TextBlock{"columns 1 to 4:", "100 101 102 103", "---------------", "108 109 110 111",
                              "columns 5 to 8:", "104 105 106 107", "---------------", "112 113 114 115"}));
}

TEST(NumberGrid, OneColumnMayBeTooWide) {
  const TextBlock lines = NumberGrid{kNumbers, 1, 3}.text(2);
  EXPECT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines.back(), "0.1235");
}

TEST(SideBySide, ShortBlocksStandInTheMiddle) {
  EXPECT_EQ(side_by_side({{"C = "}, {"1", "2", "3"}, {" x"}}, "> "), ">     1\n> C = 2 x\n>     3\n");
}

}  // namespace
}  // namespace recombine
