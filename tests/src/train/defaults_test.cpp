#include "src/train/defaults.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

#include "kernels/ceil_div.hpp"

namespace recombine {
namespace {

using Widths = std::vector<std::int64_t>;

DataDefaults of_table(std::int64_t rows, const GivenOptions& given = {}) {
  return defaults_for({.kind = DataFacts::Kind::table, .rows = rows}, given);
}

std::int64_t steps_of(const DataDefaults& chosen, std::int64_t rows) {
  return chosen.epochs * ceil_div(rows, chosen.batch_size);
}

TEST(DefaultsTest, ManyImagesAndSyntheticDataHaveFixedDefaults) {
  using Kind = DataFacts::Kind;
  for (const DataFacts& facts : {DataFacts{Kind::images, 20'000}, DataFacts{Kind::images, 60'000},
                                 DataFacts{Kind::images, 1'000'000}, DataFacts{Kind::synthetic, 1'000}}) {
    EXPECT_FALSE(defaults_depend_on_rows(facts));
    const DataDefaults chosen = defaults_for(facts);
    EXPECT_EQ(chosen.hidden, (Widths{1024, 1024}));
    EXPECT_EQ(chosen.batch_size, 256);
    EXPECT_EQ(chosen.epochs, 8);
    EXPECT_EQ(chosen.lr, 0.001);
    EXPECT_EQ(chosen.warmup, 200);
    EXPECT_EQ(chosen.weight_decay, 0.01);
  }
}

/// As a table with as many rows, but with other layers.
TEST(DefaultsTest, FewImagesGetManyPasses) {
  for (const std::int64_t rows : {1, 300, 1'000, 19'999}) {
    const DataFacts facts{.kind = DataFacts::Kind::images, .rows = rows};
    EXPECT_TRUE(defaults_depend_on_rows(facts));
    const DataDefaults chosen = defaults_for(facts), table = of_table(rows);
    EXPECT_EQ(chosen.hidden, (Widths{256, 256}));
    EXPECT_GE(steps_of(chosen, rows), 1600);
    EXPECT_EQ(chosen.batch_size, table.batch_size);
    EXPECT_EQ(chosen.epochs, table.epochs);
    EXPECT_EQ(chosen.lr, 0.003);
    EXPECT_EQ(chosen.warmup, 200);
    EXPECT_EQ(chosen.weight_decay, table.weight_decay);
  }
}

TEST(DefaultsTest, FewRowsGetManyPassesOfSmallBatches) {
  const DataDefaults chosen = of_table(150);
  EXPECT_EQ(chosen.hidden, Widths{128});
  EXPECT_EQ(chosen.batch_size, 16);
  EXPECT_EQ(chosen.epochs, 168);
  EXPECT_EQ(chosen.lr, 0.003);
  EXPECT_EQ(chosen.warmup, 200);
  EXPECT_EQ(chosen.weight_decay, 0.99);
}

TEST(DefaultsTest, ManyRowsGetFewPassesOfLargeBatches) {
  const DataDefaults chosen = of_table(1'000'000);
  EXPECT_EQ(chosen.hidden, (Widths{256, 256}));
  EXPECT_EQ(chosen.batch_size, 256);
  EXPECT_EQ(chosen.epochs, 8);
  EXPECT_EQ(chosen.weight_decay, 0.053);
}

TEST(DefaultsTest, EveryNumberOfRowsTrainsLongEnough) {
  DataDefaults before = of_table(1);
  for (std::int64_t rows = 1; rows < 3'000'000; rows += 1 + rows / 50) {
    const DataDefaults chosen = of_table(rows);
    EXPECT_LE(chosen.batch_size, rows);
    EXPECT_GE(steps_of(chosen, rows), 1600) << rows;
    EXPECT_LE(chosen.warmup, steps_of(chosen, rows) / 8) << rows;
    EXPECT_GE(chosen.batch_size, before.batch_size) << rows;
    EXPECT_GE(chosen.hidden.size(), before.hidden.size()) << rows;
    EXPECT_LE(chosen.weight_decay, 1);
    before = chosen;
  }
}

TEST(DefaultsTest, OneRowMoreChangesTheWorkLittle) {
  for (std::int64_t rows = 1'000; rows < 200'000; ++rows) {
    const DataDefaults chosen = of_table(rows), next = of_table(rows + 1);
    const std::int64_t passes = chosen.epochs, after = next.epochs;
    // The batch doubles at a few places, and then the passes do too.
    const double factor = static_cast<double>(next.batch_size) / static_cast<double>(chosen.batch_size);
    ASSERT_NEAR(static_cast<double>(after), factor * static_cast<double>(passes), 8.0 * factor + 1) << rows;
  }
}

TEST(DefaultsTest, GivenOptionsAreKeptAndTheOthersFollow) {
  const DataDefaults chosen = of_table(150, {.hidden = Widths{}, .batch_size = 1'000, .epochs = 16, .lr = 0.25});
  EXPECT_TRUE(chosen.hidden.empty());
  EXPECT_EQ(chosen.batch_size, 1'000);
  EXPECT_EQ(chosen.epochs, 16);
  EXPECT_EQ(chosen.lr, 0.25);
  EXPECT_EQ(chosen.warmup, 2) << "an eighth of 16 steps";
  EXPECT_EQ(chosen.weight_decay, 1) << "no more than that";
  EXPECT_EQ(of_table(150, {.steps = 80}).warmup, 10);
  EXPECT_EQ(of_table(160, {.accumulate = 10, .epochs = 80}).warmup, 10);
  EXPECT_EQ(of_table(150, {.warmup = 7, .weight_decay = 0.5}).warmup, 7);
  EXPECT_EQ(of_table(150, {.warmup = 7, .weight_decay = 0.5}).weight_decay, 0.5);
  EXPECT_EQ(of_table(150, {.lr = 0.0}).weight_decay, 0.01);
}

TEST(DefaultsTest, AWideOrDeepNetworkGetsALowerRate) {
  EXPECT_EQ(of_table(150, {.hidden = Widths{256, 256}}).lr, 0.003);
  EXPECT_EQ(of_table(150, {.hidden = Widths{512}}).lr, 0.001);
  EXPECT_EQ(of_table(150, {.hidden = Widths{64, 64, 64}}).lr, 0.001);
}

TEST(DefaultsTest, OtherOptimizersHaveNeitherWarmUpNorDecay) {
  for (const auto& [kind, lr] : {std::pair{OptimizerKind::sgd, 0.1}, {OptimizerKind::momentum, 0.02}}) {
    const DataDefaults chosen = of_table(150, {.optimizer = kind});
    EXPECT_EQ(chosen.lr, lr);
    EXPECT_EQ(chosen.warmup, 0);
    EXPECT_EQ(chosen.weight_decay, 0);
  }
}

TEST(DefaultsTest, OptionsThatWereNotGivenAreWrittenAsOptions) {
  EXPECT_EQ(options_not_given(of_table(1'000'000), {}),
            "--hidden 256,256 --batch-size 256 --epochs 8 --lr 0.003 --warmup 200 --weight-decay 0.053");
  const GivenOptions given = {.hidden = Widths{}, .batch_size = 8, .epochs = 2, .warmup = 0, .weight_decay = 0};
  EXPECT_EQ(options_not_given(of_table(150, given), given), "--lr 0.003");
}

}  // namespace
}  // namespace recombine
