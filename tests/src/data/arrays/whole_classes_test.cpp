#include "src/data/arrays/whole_classes.hpp"

#include <gtest/gtest.h>

namespace recombine {
namespace {

TEST(WholeClasses, NumbersAreInOrder) {
  const WholeClasses classes(std::set<std::int64_t>{26, -1, 3});
  EXPECT_EQ(classes.names(), (std::vector<std::string>{"-1", "3", "26"}));
  EXPECT_EQ(classes.class_of(-1), 0);
  EXPECT_EQ(classes.class_of(26), 2);
  EXPECT_EQ(classes.class_of(4), std::nullopt);
}

TEST(WholeClasses, NamesOfAModelKeepTheirOrder) {
  const WholeClasses classes(std::vector<std::string>{"7", "cat", "1.5", "-2", ""});
  EXPECT_EQ(classes.names().size(), 5U);
  EXPECT_EQ(classes.class_of(7), 0);
  EXPECT_EQ(classes.class_of(-2), 3);
  EXPECT_EQ(classes.class_of(1), std::nullopt);
  EXPECT_EQ(classes.class_of(0), std::nullopt);
}

}  // namespace
}  // namespace recombine
