#include "src/train/collect_result.hpp"

#include <gtest/gtest.h>

namespace recombine {
namespace {

TEST(SlowestRankTest, WaitsAreNotWork) {
  // Rank 1 works longest, because its input takes 2 s longer than the mean. Rank 2 takes longer, but only waits.
  const std::vector<TimeSpent> times = {{.compute = 10, .exposed_communication = 4, .input = 1},
                                        {.compute = 10.5, .exposed_communication = 0, .input = 4},
                                        {.compute = 9.5, .exposed_communication = 9, .input = 1}};
  const SlowestRank slowest = slowest_rank(times);
  EXPECT_EQ(slowest.rank, 1);
  EXPECT_DOUBLE_EQ(slowest.seconds, 14.5);
  EXPECT_DOUBLE_EQ(slowest.mean_seconds, 12);
  EXPECT_EQ(slowest.part, "input");
}

TEST(SlowestRankTest, NamesThePartWithTheLargestExcess) {
  EXPECT_EQ(slowest_rank({{.compute = 3, .other = 1}, {.compute = 5, .other = 0.5}}).part, "compute");
  EXPECT_EQ(slowest_rank({{.compute = 3, .other = 1}, {.compute = 3, .other = 0.5}}).part, "other");
}

}  // namespace
}  // namespace recombine
