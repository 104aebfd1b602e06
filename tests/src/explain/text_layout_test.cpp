#include "src/explain/text_layout.hpp"

#include <gtest/gtest.h>

namespace recombine {
namespace {

TEST(TextLayout, WordsFillLines) {
  EXPECT_EQ(wrapped("one two three four", 9), (TextBlock{"one two", "three", "four"}));
  EXPECT_EQ(wrapped("one two", 7), TextBlock{"one two"});
  EXPECT_TRUE(wrapped("", 7).empty());
}

TEST(TextLayout, LongWordIsBroken) {
  EXPECT_EQ(wrapped("a 123456789 b", 4), (TextBlock{"a", "1234", "5678", "9 b"}));
  EXPECT_EQ(paragraph(std::string(100, 'x'), "  "), "  " + std::string(78, 'x') + "\n  " + std::string(22, 'x') + "\n");
}

TEST(TextLayout, EquationIsOneRowIfItFits) {
  const std::vector<EquationPart> parts = {{"", {"1", "2"}}, {" x ", {"3"}}, {" = ", {"3", "6"}}};
  EXPECT_EQ(equation(parts, "  "), "  1 x 3 = 3\n  2       6\n");
}

/// A row begins with an operator, and has at most kLineWidth columns.
TEST(TextLayout, LongEquationHasRows) {
  const TextBlock wide{std::string(37, '7')};
  const std::vector<EquationPart> parts = {{"", wide}, {" x ", wide}, {" = ", wide}};
  EXPECT_EQ(equation(parts, "  "), "  " + wide[0] + " x " + wide[0] + "\n  = " + wide[0] + "\n");
}

}  // namespace
}  // namespace recombine
