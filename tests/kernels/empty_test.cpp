#include <cmath>

#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::matrix_of;
using test::view_of;

/// Inputs without rows or without columns, which a rank has if there are fewer rows or columns than ranks.
class EmptyTest : public test::MathTest {
 protected:
  std::vector<float> x_ = std::vector<float>(8, 0.5F);
  std::vector<std::int32_t> labels_ = std::vector<std::int32_t>(4);
  std::vector<std::int64_t> rows_ = std::vector<std::int64_t>(4);
};

TEST_F(EmptyTest, OperationsOnEmptyMatricesWriteNothing) {
  for (const auto& [rows, cols] : {std::pair{0, 4}, std::pair{4, 0}, std::pair{0, 0}}) {
    const auto m = matrix_of(x_, rows, cols);
    LossSums sums{1, 2};
    math_.fill(*stream_, m, {.global_cols = 4, .half_width = 1});
    math_.gather_rows(*stream_, {.source = matrix_of(x_, 1, cols), .rows = view_of(rows_), .out = m});
    math_.bias_activation(*stream_, {.in = m, .out = m, .activation = Activation::gelu});
    math_.activation_gradient(*stream_, {.saved = m, .gradient = m, .activation = Activation::gelu});
    math_.softmax_cross_entropy(
        *stream_, {.logits = m, .labels = view_of(labels_), .rows = view_of(rows_), .gradient = m, .sums = &sums});
    math_.squared_error(*stream_, {.outputs = m, .targets = m, .rows = view_of(rows_), .gradient = m, .sums = &sums});
    math_.axpby(*stream_, 2, view_of(x_).range(0, 0), 3, view_of(x_).range(0, 0));
    double square_sum = 3;
    math_.add_square_sum(*stream_, view_of(x_).range(0, 0), &square_sum);
    EXPECT_EQ(sums.loss_sum, 1) << rows << " x " << cols;
    EXPECT_EQ(sums.correct, 2);
    EXPECT_EQ(square_sum, 3);
    EXPECT_EQ(x_, std::vector<float>(8, 0.5F));
  }
}

TEST_F(EmptyTest, ABiasGradientOfNoRowsIsBetaTimesItsOldValue) {
  for (const Activation activation : {Activation::identity, Activation::tanh}) {
    const auto sum_of_no_rows = [&](float before, float beta) {
      std::vector<float> sums = {before, before, 0.5F};
      math_.activation_gradient(*stream_, {.saved = matrix_of(x_, 0, 2),
                                           .gradient = matrix_of(x_, 0, 2),
                                           .bias_gradient = view_of(sums).range(0, 2),
                                           .beta = beta,
                                           .activation = activation});
      return sums;
    };
    EXPECT_EQ(sum_of_no_rows(NAN, 0), (std::vector<float>{0, 0, 0.5F}));
    EXPECT_EQ(sum_of_no_rows(0.5F, 3), (std::vector<float>{1.5F, 1.5F, 0.5F}));
  }
}

TEST_F(EmptyTest, ACorrectRowHasItsFirstMaximumAtTheLabel) {
  std::vector<float> logits = {1, 3, 3, 2, NAN, 0, 0, 0};
  const auto correct = [&](std::int64_t row, std::int32_t label) {
    std::vector<std::int32_t> labels = {label};
    LossSums sums;
    math_.softmax_cross_entropy(*stream_, {.logits = matrix_of(logits, 2, 4).block(row, 0, 1, 4),
                                           .labels = view_of(labels),
                                           .rows = view_of(rows_),
                                           .sums = &sums});
    EXPECT_EQ(std::isnan(sums.loss_sum), row == 1);
    return sums.correct;
  };
  EXPECT_EQ(correct(0, 1), 1);
  EXPECT_EQ(correct(0, 2), 0);
  EXPECT_EQ(correct(0, 0), 0);
  for (std::int32_t label = 1; label < 4; ++label) EXPECT_EQ(correct(1, label), 0);
  EXPECT_EQ(correct(1, 0), 0);
}

}  // namespace
}  // namespace recombine
