#include "src/report/matmul_words.hpp"

#include <gtest/gtest.h>

namespace recombine {
namespace {

constexpr MatmulShape kShape{600, 500, 2000};

Plan plan_of(const Mesh& mesh, double products, double moving, double bytes) {
  return {.mesh = mesh, .product_seconds = products, .communication_seconds = moving, .bytes_sent_per_rank = bytes};
}

TEST(ReasonText, TheFastestIsCalledThat) {
  const Plan fast = plan_of({1, 1, 2}, 0.01, 0.002, 3 << 20);
  const Plan next = plan_of({1, 2, 1}, 0.0102, 0.001992, 3 << 20);
  const Plan slow = plan_of({2, 1, 1}, 0.03, 0.002, 3 << 20);
  EXPECT_EQ(reason_text(kShape, {fast, next}),
            "the fastest; next: 1x2x1 gather, 1.6% slower (0.200 ms more in products, 0.008 ms less in moving)");
  EXPECT_EQ(reason_text(kShape, {fast, slow, next}), reason_text(kShape, {fast, next}));  // the next by time
  EXPECT_EQ(reason_text(kShape, {fast, slow}),
            "the fastest; next: 2x1x1 gather, 2.7 times as long (20.000 ms more in products)");
  EXPECT_EQ(reason_text(kShape, {fast, plan_of({1, 2, 1}, 0.01, 0.0020001, 0)}),
            "the fastest; next: 1x2x1 gather, less than 0.1% slower");
}

TEST(ReasonText, ASlowerOneHasLessOfWhatItNames) {
  const Plan fastest = plan_of({1, 2, 1}, 0.01, 0.002, 3 << 20);
  EXPECT_EQ(reason_text(kShape, {plan_of({1, 1, 2}, 0.0102, 0.002, 2 << 20), fastest}),
            "1.7% slower than 1x2x1 gather (0.200 ms more in products): too close for the model to tell; sends 1 MiB "
            "less per rank");
  Plan panels = plan_of({1, 2, 1}, 0.01, 0.0018, 3 << 20);
  panels.schedule = Schedule::panels;
  panels.panel = 512;
  EXPECT_EQ(reason_text(kShape, {fastest, panels}),
            "1.7% slower than 1x2x1 panels of 512 (0.200 ms more in moving): too close for the model to tell; has 1 "
            "local product instead of 4");
}

TEST(ReasonText, EqualTimes) {
  const Plan plan = plan_of({1, 1, 2}, 0.01, 0.002, 2 << 20);
  EXPECT_EQ(reason_text(kShape, {plan}), "the only candidate");
  EXPECT_EQ(reason_text(kShape, {plan, plan_of({2, 1, 1}, 0.01, 0.002, 2 << 20)}),
            "the model sees no difference from 2x1x1 gather");
  EXPECT_EQ(reason_text(kShape, {plan, plan_of({2, 1, 1}, 0.01, 0.002, 3 << 20)}),
            "as fast as 2x1x1 gather; sends 1 MiB less per rank");
}

TEST(PredictionText, HasNoSign) {
  EXPECT_EQ(prediction_text(0.3, 0.4), "predicted 0.3000 s, 25% too low");
  EXPECT_EQ(prediction_text(0.5, 0.4), "predicted 0.5000 s, 25% too high");
  EXPECT_EQ(prediction_text(0.4001, 0.4), "predicted 0.4001 s, as measured");
  EXPECT_EQ(prediction_text(0.0002, 0.0078), "predicted 0.0002 s (below 1 ms: not compared)");
  EXPECT_EQ(prediction_text(0.002, 0.0009), "predicted 0.0020 s (below 1 ms: not compared)");
}

/// Rank 0 multiplies longest, rank 2 waits longest, rank 1 takes longest.
TEST(SplitText, IsOfOneRank) {
  const std::vector<MatmulTimes> ranks = {{.total = 5, .product = 4, .exposed = 1, .recombine = 0.5},
                                          {.total = 6, .product = 3, .exposed = 2, .io = 1},
                                          {.total = 4, .product = 1, .exposed = 3, .recombine = 0.25}};
  const MatmulTimes all = over_ranks(ranks);
  EXPECT_EQ(all.total, 6);
  EXPECT_EQ(all.product, 4);
  EXPECT_EQ(all.exposed, 3);
  EXPECT_EQ(all.io, 1);
  EXPECT_EQ(all.recombine, 0.5);
  EXPECT_EQ(all.slowest.rank, 1);
  EXPECT_EQ(split_text({.np = 3, .operands = Operands::streamed}, all),
            "rank 1 took longest: products 3.0000 s, waiting for other ranks 2.0000 s, waiting for files 1.0000 s");
  EXPECT_EQ(split_text({.np = 3}, all), "rank 1 took longest: products 3.0000 s, waiting for other ranks 2.0000 s");
  EXPECT_EQ(split_text({.np = 1, .operands = Operands::streamed}, over_ranks({&ranks[1], 1})),
            "products 3.0000 s, waiting for files 1.0000 s");
  EXPECT_EQ(split_text({.np = 1}, over_ranks({ranks.data(), 1})), "");  // all of its time
}

TEST(SplitText, NothingIsKnownOfAGpu) {
  const std::vector<MatmulTimes> ranks(2, {.total = 5, .product = kUnknown, .exposed = kUnknown});
  EXPECT_EQ(split_text({.np = 2}, over_ranks(ranks)), "");
}

}  // namespace
}  // namespace recombine
