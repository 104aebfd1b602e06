#include "src/train/explain/check_step.hpp"

#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "src/train/explain/recombined_text.hpp"
#include "src/train/explain/scalar_text.hpp"
#include "src/train/explain/written.hpp"

namespace recombine {
namespace {

Numbers row_of(std::vector<double> values) {
  return {.rows = 1, .cols = std::ssize(values), .values = std::move(values)};
}

/// x = (2, 5), w = (0.5, 0.7), y = 10, learning rate 0.01, by hand.
StepNumbers article_row() {
  StepNumbers step{.rows = {0}, .loss = LossKind::mse, .targets = row_of({10})};
  step.optimizer.kind = OptimizerKind::sgd;
  step.record = {.step = 1, .train_loss = 30.25, .lr = 0.01, .rows = 1};
  step.layers = {{.x = row_of({2, 5}),
                  .y = row_of({4.5}),
                  .dz = row_of({-11}),
                  .weight = {row_of({0.5, 0.7}), row_of({-22, -55}), row_of({0.72, 1.25})},
                  .bias = {}}};
  return step;
}

TEST(CheckStep, CountsTheNumbersThatAgree) {
  EXPECT_EQ(require_equal_scalars(article_row()), 7) << "Y, dY, two of dW, two of the new W, the loss";
}

TEST(CheckStep, FindsEveryWrongNumber) {
  StepNumbers step = article_row();
  LayerNumbers& layer = step.layers[0];
  for (double* const number :
       {&layer.x.values[1], &layer.y.values[0], &layer.dz.values[0], &layer.weight.before.values[0],
        &layer.weight.gradient.values[1], &layer.weight.after.values[1], &step.targets.values[0],
        &step.record.train_loss, &step.record.lr}) {
    const double right = *number;
    *number *= 1.001;
    EXPECT_THROW(require_equal_scalars(step), Error) << right;
    *number = right * (1 + 1e-7);
    EXPECT_NO_THROW(require_equal_scalars(step)) << right << " with the rounding of f32";
    *number = right;
  }
}

TEST(ScalarText, WritesTheArticlesRow) {
  const std::string text = scalar_text(article_row());
  for (const char* const line :
       {"y' = 2*0.5 + 5*0.7 = 4.5\n", "error = y - y' = 10 - 4.5 = 5.5\n", "dLoss/dy' = -2*5.5 = -11\n",
        "dLoss/dw1 = (-11)*2 = -22\n", "dLoss/dw2 = (-11)*5 = -55\n", "w1 = 0.5 - 0.01*(-22) = 0.72\n",
        "w2 = 0.7 - 0.01*(-55) = 1.25\n", "5.5^2 = 30.25\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "is not in\n" << text;
  }
}

TEST(RecombinedText, AddsTheTermsOfTheRanks) {
  const StepNumbers step = article_row();
  EXPECT_NE(recombined_text(step, {"0 Y 0 0 0 0 0 1 1 1\n", "0 Y 0 0 1 0 0 1 1 3.5\n"})
                .find("Y11 = X11 W11^T + X12 W12^T\n        [4.5] = [1] + [3.5]\n"),
            std::string::npos);
  EXPECT_THROW(recombined_text(step, {"0 Y 0 0 0 0 0 1 1 1\n", "0 Y 0 0 1 0 0 1 1 3.6\n"}), Error);
  EXPECT_NE(recombined_text(step, {"", ""}).find("No sum is cut"), std::string::npos);
}

TEST(Written, LongSumsBreakBeforeAPlus) {
  const std::string text = written_sum("head = ", std::vector<std::string>(20, "1.234*5.678"), " = 140.1");
  EXPECT_TRUE(text.ends_with(" = 140.1\n"));
  std::size_t begin = 0, lines = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    EXPECT_LE(end - begin, kLineWidth);
    if (lines++ > 0) {
      EXPECT_EQ(text.substr(begin, 9), "       + ");
    }
    begin = end + 1;
  }
  EXPECT_EQ(lines, 5U);
}

TEST(Written, WhatCancelsIsRoundedLikeTheLargestNumber) {
  const Numbers numbers = rounded(row_of({0.5725, -9.8335e-05, 1e-9}));
  EXPECT_NEAR(numbers.at(0, 1), -9.8e-05, 1e-12);
  EXPECT_EQ(numbers.at(0, 2), 0);
  EXPECT_EQ(rounded(row_of({0, 0})).values, (std::vector<double>{0, 0}));
}

TEST(Written, OnlyLongLinesAreBroken) {
  const std::string words = "    a" + std::string(60, 'b') + " " + std::string(20, 'c') + "\n";
  EXPECT_EQ(fitted("  short\n" + words),
            "  short\n    a" + std::string(60, 'b') + "\n      " + std::string(20, 'c') + "\n");
}

}  // namespace
}  // namespace recombine
