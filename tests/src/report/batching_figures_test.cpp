#include "src/report/batching_figures.hpp"

#include <gtest/gtest.h>

namespace recombine {
namespace {

/// A run whose epochs take `epoch_seconds` each.
BatchingRun run_of(const std::string& strategy, double epoch_seconds, const std::vector<double>& losses,
                   std::optional<double> rise) {
  BatchingRun run{.strategy = strategy, .samples_per_second = 100 / epoch_seconds, .rise = rise, .weights = {1, 2}};
  for (const double loss : losses) run.curve.push_back({epoch_seconds * static_cast<double>(run.curve.size()), loss});
  return run;
}

BatchingComparison textbook() {
  BatchingComparison comparison;
  comparison.runs = {run_of("stochastic", 4, {8, 1, 1.5}, 0.3), run_of("mini-batch", 2, {8, 3, 1.2}, 0.1),
                     run_of("batch", 1, {8, 4, 2.0012}, 0.0)};
  return comparison;
}

TEST(BatchingFiguresTest, RoundsUpToDigits) {
  EXPECT_EQ(rounded_up(0.0140312, 3), 0.0141);
  EXPECT_EQ(rounded_up(0.014, 3), 0.014);
  EXPECT_EQ(rounded_up(12345, 3), 12400);
  EXPECT_EQ(rounded_up(9.999, 3), 10);
  EXPECT_EQ(rounded_up(0, 3), 0);
}

TEST(BatchingFiguresTest, EveryRunReachesTheLossByDefault) {
  const BatchingComparison comparison = textbook();
  EXPECT_EQ(comparison.until_loss(), 2.07);
  EXPECT_EQ(comparison.runs[0].epochs_until(2.07), 1);
  EXPECT_EQ(comparison.runs[1].epochs_until(2.07), 2);
  EXPECT_EQ(comparison.runs[2].epochs_until(2.07), 2);
  EXPECT_EQ(comparison.runs[0].lowest_loss(), 1);
}

TEST(BatchingFiguresTest, TheLossIsBelowThatOfTheFirstWeights) {
  BatchingComparison comparison = textbook();
  comparison.runs[2] = run_of("batch", 1, {2.3026, 2.30211, 2.30149}, 0.0);
  for (BatchingRun& run : comparison.runs) run.curve.front().loss = 2.3026;
  EXPECT_EQ(comparison.until_loss(), 2.302);  // three digits would be 2.31, which the first weights have
  comparison.runs[0] = run_of("stochastic", 4, {2.3026, 1, 9}, 0.3);
  EXPECT_EQ(comparison.until_loss(), 2.302) << "the loss at the end of a run is above that of the first weights";
}

TEST(BatchingFiguresTest, TheUserChoosesTheLoss) {
  BatchingComparison comparison = textbook();
  comparison.asked_loss = 1.3;
  EXPECT_EQ(comparison.until_loss(), 1.3);
  EXPECT_EQ(comparison.runs[2].epochs_until(1.3), std::nullopt);
  const std::string text = comparison_text(comparison);
  EXPECT_NE(text.find("not reached"), std::string::npos) << text;
  EXPECT_NE(text.find("fewest epochs:  stochastic (1), mini-batch (2), batch (not reached)\n"), std::string::npos);
  EXPECT_NE(text.find("fewest seconds: stochastic (4), mini-batch (4)\n"), std::string::npos) << text;
}

TEST(BatchingFiguresTest, WordsFollowFromTheFigures) {
  BatchingComparison comparison = textbook();
  std::string text = findings_text(comparison);
  EXPECT_NE(text.find("most samples/s: batch (100), mini-batch (50), stochastic (25)\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("Here it holds for epochs, samples/s and smoothness.\n")) << text;

  std::swap(comparison.runs[0].rise, comparison.runs[2].rise);
  text = findings_text(comparison);
  EXPECT_NE(text.find("smoothest:      stochastic (0), mini-batch (0.1), batch (0.3)\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("Here it holds for epochs and samples/s, but not for smoothness.\n")) << text;

  std::swap(comparison.runs[0].curve, comparison.runs[2].curve);
  std::swap(comparison.runs[0].samples_per_second, comparison.runs[2].samples_per_second);
  EXPECT_TRUE(findings_text(comparison).ends_with("Here it does not hold.\n"));
}

TEST(BatchingFiguresTest, NoWordsWithoutFigures) {
  BatchingComparison comparison = textbook();
  comparison.asked_loss = 0.1;
  comparison.runs[2].rise.reset();
  const std::string text = findings_text(comparison);
  EXPECT_TRUE(text.starts_with("most samples/s:")) << text;
  EXPECT_EQ(text.find("smoothest"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("Here it holds for samples/s.\n")) << text;
}

TEST(BatchingFiguresTest, LargeNetworksHaveDistancesInsteadOfWeights) {
  BatchingComparison comparison = textbook();
  EXPECT_NE(comparison_text(comparison).find("stochastic         1        2\n"), std::string::npos);
  for (BatchingRun& run : comparison.runs) run.weights.assign(9, 0);
  comparison.runs[0].weights[3] = 3;
  comparison.runs[2].weights[4] = 4;
  const std::string text = comparison_text(comparison);
  EXPECT_NE(text.find("stochastic  norm 3         distance to batch 5\n"), std::string::npos) << text;
  EXPECT_NE(text.find("batch       norm 4\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace recombine
