#include "src/train/comparison_options.hpp"

#include <gtest/gtest.h>

namespace recombine {
namespace {

TEST(ComparisonOptionsTest, AMiniBatchIsMoreThanOneRowAndLessThanAll) {
  for (std::int64_t rows = 3; rows < 100; ++rows) {
    const std::int64_t mini = mini_batch_rows({}, rows);
    EXPECT_GT(mini, 1) << rows;
    EXPECT_LT(mini, rows) << rows;
    for (const std::int64_t given : {std::int64_t{1}, rows, TrainCommand::kAllRows})
      EXPECT_EQ(mini_batch_rows(given, rows), mini) << given << " of " << rows;
  }
  EXPECT_EQ(mini_batch_rows({}, 5), 2);
  EXPECT_EQ(mini_batch_rows({}, 63), 7);
  EXPECT_EQ(mini_batch_rows({}, 64), 32);
  EXPECT_EQ(mini_batch_rows({}, 60'000), 32);
}

TEST(ComparisonOptionsTest, TheUserChoosesTheMiniBatch) {
  EXPECT_EQ(mini_batch_rows(64, 60'000), 64);
  EXPECT_EQ(mini_batch_rows(4, 5), 4);
}

}  // namespace
}  // namespace recombine
