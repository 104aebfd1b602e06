#include <cmath>

#include "kernels/error.hpp"
#include "tests/support/math_test.hpp"
#include "tests/support/reference_network.hpp"

namespace recombine {
namespace {

using test::activated;
using test::matrix_of;
using test::random_values;
using test::view_of;

constexpr Activation kActivations[] = {Activation::identity, Activation::relu, Activation::gelu, Activation::tanh,
                                       Activation::sigmoid};

class ElementwiseTest : public test::MathTest {};

TEST_F(ElementwiseTest, BiasAndActivationAgreeWithTheirDefinition) {
  const auto x = random_values(5 * 37, 1);
  const auto bias = random_values(37, 2);
  for (const Activation activation : kActivations) {
    std::vector<float> y(x.size());
    math_.bias_activation(
        *stream_,
        {.in = matrix_of(x, 5, 37), .bias = view_of(bias), .out = matrix_of(y, 5, 37), .activation = activation});
    for (std::size_t i = 0; i < y.size(); ++i) {
      EXPECT_NEAR(y[i], activated(activation, static_cast<double>(x[i]) + bias[i % 37]), 2e-6);
    }
  }
}

TEST_F(ElementwiseTest, ActivationsOfNaNAreNaN) {
  for (const Activation activation : kActivations) {
    std::vector<float> x(20, NAN);
    math_.bias_activation(*stream_, {.in = matrix_of(x, 1, 20), .out = matrix_of(x, 1, 20), .activation = activation});
    for (const float v : x) EXPECT_TRUE(std::isnan(v)) << static_cast<int>(activation);
  }
}

TEST_F(ElementwiseTest, ActivationGradientsAgreeWithFiniteDifferences) {
  static constexpr std::int64_t kRows = 9;
  static constexpr std::int64_t kCols = 70;
  const auto x = random_values(kRows * kCols, 1);
  const auto incoming = random_values(kRows * kCols, 2);
  for (const Activation activation : kActivations) {
    std::vector<float> saved(x);
    if (!gradient_needs_input(activation)) {
      for (float& v : saved) v = static_cast<float>(activated(activation, v));
    }
    for (const float beta : {0.0F, 1.0F}) {
      std::vector<float> gradient = incoming;
      std::vector<float> sums(kCols, beta == 0 ? NAN : 0.25F);
      math_.activation_gradient(*stream_, {.saved = matrix_of(saved, kRows, kCols),
                                           .gradient = matrix_of(gradient, kRows, kCols),
                                           .bias_gradient = view_of(sums),
                                           .beta = beta,
                                           .activation = activation});
      std::vector<double> expected_sums(kCols, beta == 0 ? 0 : 0.25);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double at = x[i];
        const double slope = (activated(activation, at + 1e-6) - activated(activation, at - 1e-6)) / 2e-6;
        ASSERT_NEAR(gradient[i], incoming[i] * slope, 3e-6) << static_cast<int>(activation) << " at " << at;
        expected_sums[i % kCols] += incoming[i] * slope;
      }
      for (std::size_t j = 0; j < sums.size(); ++j) ASSERT_NEAR(sums[j], expected_sums[j], 2e-5);
    }
  }
}

double cross_entropy(const std::vector<double>& z, std::size_t label) {
  double sum = 0;
  for (const double v : z) sum += std::exp(v);
  return std::log(sum) - z[label];
}

TEST_F(ElementwiseTest, SoftmaxCrossEntropyAgreesWithFiniteDifferences) {
  static constexpr std::int64_t kRows = 6;
  for (const std::int64_t cols : {2, 10, 37}) {
    auto logits = random_values(kRows * cols, 1);
    for (float& v : logits) v *= 8;
    std::vector<std::int32_t> labels(20);
    for (std::size_t i = 0; i < labels.size(); ++i)
      labels[i] = static_cast<std::int32_t>((i * 7) % static_cast<std::size_t>(cols));
    const std::vector<std::int64_t> rows = {3, 19, 0, 7, 7, 11};
    std::vector<float> gradient(logits.size());
    LossSums sums;
    math_.softmax_cross_entropy(*stream_, {.logits = matrix_of(logits, kRows, cols),
                                           .labels = view_of(labels),
                                           .rows = view_of(rows),
                                           .gradient = matrix_of(gradient, kRows, cols),
                                           .gradient_scale = 0.25F,
                                           .sums = &sums});
    double loss = 0;
    double correct = 0;
    for (std::size_t r = 0; r < kRows; ++r) {
      const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(r) * cols;
      std::vector<double> z(begin, begin + cols);
      const auto label = static_cast<std::size_t>(labels[static_cast<std::size_t>(rows[r])]);
      loss += cross_entropy(z, label);
      correct += std::max_element(z.begin(), z.end()) - z.begin() == static_cast<std::ptrdiff_t>(label) ? 1 : 0;
      for (std::size_t j = 0; j < z.size(); ++j) {
        auto up = z;
        auto down = z;
        up[j] += 1e-5;
        down[j] -= 1e-5;
        const double slope = (cross_entropy(up, label) - cross_entropy(down, label)) / 2e-5;
        ASSERT_NEAR(gradient[r * z.size() + j], 0.25 * slope, 1e-6);
      }
    }
    EXPECT_NEAR(sums.loss_sum, loss, 1e-5);
    EXPECT_EQ(sums.correct, correct);
  }
}

TEST_F(ElementwiseTest, SoftmaxOfHugeLogitsIsFinite) {
  std::vector<float> logits = {1e4F, -1e4F, 0};
  const std::vector<std::int32_t> labels = {1};
  const std::vector<std::int64_t> rows = {0};
  LossSums sums;
  math_.softmax_cross_entropy(*stream_, {.logits = matrix_of(logits, 1, 3),
                                         .labels = view_of(labels),
                                         .rows = view_of(rows),
                                         .gradient = matrix_of(logits, 1, 3),
                                         .sums = &sums});
  EXPECT_NEAR(sums.loss_sum, 2e4, 1);
  EXPECT_NEAR(logits[0], 1, 1e-6);
  EXPECT_NEAR(logits[1], -1, 1e-6);
}

TEST_F(ElementwiseTest, SquaredErrorAgreesWithItsDefinition) {
  const auto outputs = random_values(4 * 3, 1);
  const auto targets = random_values(9 * 3, 2);
  const std::vector<std::int64_t> rows = {8, 0, 3, 3};
  std::vector<float> gradient(outputs.size());
  LossSums sums;
  math_.squared_error(*stream_, {.outputs = matrix_of(outputs, 4, 3),
                                 .targets = matrix_of(targets, 9, 3),
                                 .rows = view_of(rows),
                                 .gradient = matrix_of(gradient, 4, 3),
                                 .gradient_scale = 0.5F,
                                 .sums = &sums});
  double loss = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const double error = static_cast<double>(outputs[i]) - targets[static_cast<std::size_t>(rows[i / 3]) * 3 + i % 3];
    loss += error * error / 3;
    EXPECT_NEAR(gradient[i], 0.5 * 2 * error / 3, 1e-6);
  }
  EXPECT_NEAR(sums.loss_sum, loss, 1e-6);
}

TEST_F(ElementwiseTest, GatherBringsRowsAsFloats) {
  std::vector<std::uint8_t> pixels(7 * 50);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 31);
  const std::vector<std::int64_t> rows = {6, 0, 3, 3};
  std::vector<float> out(4 * 50);
  GatherRows gather{.source = matrix_of(pixels, 7, 50),
                    .rows = view_of(rows),
                    .out = matrix_of(out, 4, 50),
                    .scale = 1.0F / 255,
                    .shift = -0.5F};
  math_.gather_rows(*stream_, gather);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto from = static_cast<std::size_t>(rows[i / 50]) * 50 + i % 50;
    EXPECT_NEAR(out[i], pixels[from] / 255.0 - 0.5, 1e-6);
  }
  const std::vector<std::int64_t> outside = {6, 7, 3, 3};
  gather.rows = view_of(outside);
  if (device_->kind() == DeviceKind::cpu) {
    EXPECT_THROW(math_.gather_rows(*stream_, gather), Error);
  } else {  // a GPU cannot throw: a row index out of range gives a row of NaNs
    math_.gather_rows(*stream_, gather);
    EXPECT_TRUE(std::isnan(out[50]));
    EXPECT_NEAR(out[0], pixels[300] / 255.0 - 0.5, 1e-6);
  }
}

TEST_F(ElementwiseTest, SumsAndScaledSums) {
  const auto x = random_values(200 * 33, 1);
  double square = 0;
  for (const float v : x) square += static_cast<double>(v) * v;
  double measured = 1;
  math_.add_square_sum(*stream_, view_of(x), &measured);
  EXPECT_NEAR(measured, 1 + square, 1e-9 * square);

  auto y = random_values(static_cast<std::int64_t>(x.size()), 2);
  const auto before = y;
  math_.axpby(*stream_, 2, view_of(x), 3, view_of(y));
  for (std::size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], 2 * x[i] + 3 * before[i], 1e-5);
  std::fill(y.begin(), y.end(), NAN);
  math_.axpby(*stream_, 0, {}, 0, view_of(y));
  for (const float v : y) ASSERT_EQ(v, 0);
}

}  // namespace
}  // namespace recombine
