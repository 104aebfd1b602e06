#include <cmath>
#include <limits>

#include "kernels/error.hpp"
#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::matrix_of;
using test::random_values;
using test::view_of;

constexpr float kScale = 0.25F;
constexpr float kPadding = 9;

/// Losses and gathered rows in f32 and bf16, of matrices whose rows may have gaps between them.
class LossesTest : public test::MathTest {
 protected:
  struct Shape {
    std::int64_t rows;
    std::int64_t cols;
    std::int64_t gap;    ///< elements between the rows
    std::int64_t first;  ///< elements before the first row, so that the pointer is not aligned
    std::int64_t ld() const { return cols + gap; }
    std::int64_t size() const { return first + rows * ld(); }
  };

  template <class Vector>
  static auto view(Vector& memory, const Shape& shape) {
    auto matrix = matrix_of(memory, 1, shape.size());
    matrix = matrix.block(0, shape.first, 1, shape.rows * shape.ld());
    matrix.rows = shape.rows;
    matrix.cols = shape.cols;
    matrix.ld = shape.ld();
    return matrix;
  }
  static std::size_t place(const Shape& shape, std::int64_t i, std::int64_t j) {
    return static_cast<std::size_t>(shape.first + i * shape.ld() + j);
  }

  struct Data {
    explicit Data(const Shape& shape) : logits(random_values(shape.size(), 1)) {
      for (float& x : logits) x *= 6;
      for (std::int64_t i = 0; i < shape.rows; ++i) {
        labels.push_back(static_cast<std::int32_t>(i * 7 % shape.cols));
        rows.push_back(shape.rows - 1 - i);
      }
    }
    std::vector<float> logits;
    std::vector<std::int32_t> labels;
    std::vector<std::int64_t> rows;
  };

  LossSums cross_entropy(const Data& data, ConstMatrixView logits, MatrixView gradient) {
    LossSums sums;
    math_.softmax_cross_entropy(*stream_, {.logits = logits,
                                           .labels = view_of(data.labels),
                                           .rows = view_of(data.rows),
                                           .gradient = gradient,
                                           .gradient_scale = kScale,
                                           .sums = &sums});
    return sums;
  }

  std::vector<BFloat16> narrowed(const std::vector<float>& x) {
    std::vector<BFloat16> to(x.size());
    const auto size = static_cast<std::int64_t>(x.size());
    math_.cast(*stream_, matrix_of(x, 1, size), matrix_of(to, 1, size));
    return to;
  }

  /// Softmax and cross-entropy of one row in double precision.
  static double expected_loss(const Data& data, const Shape& shape, std::int64_t i, std::vector<double>& gradient) {
    const std::int32_t label = data.labels[static_cast<std::size_t>(shape.rows - 1 - i)];
    double largest = -std::numeric_limits<double>::infinity();
    double sum = 0;
    for (std::int64_t j = 0; j < shape.cols; ++j) {
      largest = std::max(largest, static_cast<double>(data.logits[place(shape, i, j)]));
    }
    gradient.clear();
    for (std::int64_t j = 0; j < shape.cols; ++j) {
      gradient.push_back(std::exp(data.logits[place(shape, i, j)] - largest));
      sum += gradient.back();
    }
    for (double& g : gradient) g *= kScale / sum;
    gradient[static_cast<std::size_t>(label)] -= kScale;
    return std::log(sum) + largest - data.logits[place(shape, i, label)];
  }
};

TEST_F(LossesTest, CrossEntropyOfAnyShapeAgreesWithDoublePrecision) {
  for (const Shape& shape : {Shape{1, 1, 0, 0},
                             {300, 1, 2, 1},
                             {70, 2, 0, 0},
                             {33, 10, 0, 0},
                             {300, 10, 2, 0},
                             {31, 16, 0, 1},
                             {40, 17, 3, 0},
                             {257, 32, 0, 0},
                             {9, 33, 0, 0},
                             {5, 128, 0, 0},
                             {3, 256, 4, 0},
                             {3, 257, 0, 0},
                             {2, 1000, 0, 0},
                             {2, 1023, 1, 0},
                             {2, 1024, 0, 0},
                             {9, 1024, 0, 1},
                             {2, 1025, 3, 0},
                             {1, 1500, 0, 1}}) {
    SCOPED_TRACE(::testing::Message() << shape.rows << " x " << shape.cols << " with a gap of " << shape.gap);
    const Data data(shape);
    std::vector<float> gradient(static_cast<std::size_t>(shape.size()), kPadding);
    const LossSums sums = cross_entropy(data, view(data.logits, shape), view(gradient, shape));
    double loss = 0;
    std::vector<double> expected;
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      loss += expected_loss(data, shape, i, expected);
      for (std::int64_t j = 0; j < shape.ld(); ++j) {
        const float value = gradient[place(shape, i, j)];
        if (j >= shape.cols) {
          ASSERT_EQ(value, kPadding) << "the gap after row " << i;
        } else {
          ASSERT_NEAR(value, expected[static_cast<std::size_t>(j)], 3e-7) << i << " " << j;
        }
      }
    }
    ASSERT_NEAR(sums.loss_sum, loss, 1e-6 * (1 + loss));

    std::vector<float> in_place = data.logits;
    const auto same = view(in_place, shape);
    ASSERT_EQ(cross_entropy(data, same, same).loss_sum, sums.loss_sum);
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      for (std::int64_t j = 0; j < shape.cols; ++j) {
        ASSERT_EQ(in_place[place(shape, i, j)], gradient[place(shape, i, j)]) << i << " " << j;
      }
    }

    std::vector<BFloat16> narrow(gradient.size());
    for (BFloat16& x : narrow) x.bits = 0x4110;  // kPadding
    ASSERT_EQ(cross_entropy(data, view(data.logits, shape), view(narrow, shape)).loss_sum, sums.loss_sum);
    ASSERT_EQ(narrow, narrowed(gradient));
    ASSERT_EQ(cross_entropy(data, view(data.logits, shape), {}).loss_sum, sums.loss_sum);
  }
}

TEST_F(LossesTest, ARowIsCorrectIfItsFirstMaximumIsAtTheLabel) {
  for (const std::int64_t cols : {10, 100, 1024, 1500}) {
    const Shape shape{3, cols, 0, 0};
    const std::int64_t first = cols / 3;
    const std::int64_t second = cols - 2;
    for (const std::int64_t label : {std::int64_t{0}, first, second, cols - 1}) {
      Data data(shape);
      for (std::int64_t i = 0; i < shape.rows; ++i) {
        data.logits[place(shape, i, first)] = data.logits[place(shape, i, second)] = 7;
        data.labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(label);
      }
      EXPECT_EQ(cross_entropy(data, view(data.logits, shape), {}).correct, label == first ? 3 : 0)
          << cols << " columns, label " << label;
    }
  }
}

TEST_F(LossesTest, ALogitOfMinusInfinityHasNoGradient) {
  for (const std::int64_t cols : {10, 100, 1500}) {
    const Shape shape{2, cols, 0, 0};
    Data data(shape);
    data.logits[place(shape, 1, cols - 1)] = -std::numeric_limits<float>::infinity();
    std::vector<float> gradient(data.logits.size());
    EXPECT_TRUE(std::isfinite(cross_entropy(data, view(data.logits, shape), view(gradient, shape)).loss_sum));
    EXPECT_EQ(gradient[place(shape, 1, cols - 1)], 0);
    for (const float g : gradient) ASSERT_TRUE(std::isfinite(g));
  }
}

TEST_F(LossesTest, SquaredErrorRoundsItsGradientToBf16) {
  for (const Shape& shape : {Shape{1, 1, 0, 0}, {70, 12, 0, 0}, {9, 24, 4, 0}, {33, 7, 1, 1}, {2, 3000, 0, 0}}) {
    const auto outputs = random_values(shape.size(), 1);
    const auto targets = random_values(shape.rows * shape.cols, 2);
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < shape.rows; ++i) rows.push_back(shape.rows - 1 - i);
    std::vector<float> gradient(outputs.size(), kPadding);
    std::vector<BFloat16> narrow = narrowed(gradient);
    std::vector<double> losses;
    for (const MatrixView& to : {view(gradient, shape), view(narrow, shape)}) {
      LossSums sums;
      math_.squared_error(*stream_, {.outputs = view(outputs, shape),
                                     .targets = matrix_of(targets, shape.rows, shape.cols),
                                     .rows = view_of(rows),
                                     .gradient = to,
                                     .gradient_scale = kScale,
                                     .sums = &sums});
      losses.push_back(sums.loss_sum);
    }
    double loss = 0;
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      for (std::int64_t j = 0; j < shape.cols; ++j) {
        const double error = static_cast<double>(outputs[place(shape, i, j)]) -
                             targets[static_cast<std::size_t>((shape.rows - 1 - i) * shape.cols + j)];
        loss += error * error / static_cast<double>(shape.cols);
        ASSERT_NEAR(gradient[place(shape, i, j)], 2 * error / static_cast<double>(shape.cols) * kScale, 1e-7);
      }
    }
    EXPECT_NEAR(losses[0], loss, 1e-6 * (1 + loss));
    EXPECT_EQ(losses[1], losses[0]);
    EXPECT_EQ(narrow, narrowed(gradient));
  }
}

TEST_F(LossesTest, GatherRoundsToBf16) {
  for (const Shape& shape : {Shape{5, 1, 0, 0}, {40, 16, 0, 0}, {7, 50, 2, 1}, {2, 3001, 0, 0}}) {
    const auto floats = random_values(4 * shape.cols, 3);
    std::vector<std::uint8_t> bytes(floats.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 31);
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < shape.rows; ++i) rows.push_back(i * 3 % 4);
    for (const ConstMatrixView& source :
         {ConstMatrixView(matrix_of(floats, 4, shape.cols)), ConstMatrixView(matrix_of(bytes, 4, shape.cols))}) {
      std::vector<float> wide(static_cast<std::size_t>(shape.size()), kPadding);
      std::vector<BFloat16> narrow = narrowed(wide);
      for (const MatrixView& out : {view(wide, shape), view(narrow, shape)}) {
        math_.gather_rows(*stream_,
                          {.source = source, .rows = view_of(rows), .out = out, .scale = 1.0F / 255, .shift = -0.5F});
      }
      EXPECT_EQ(narrow, narrowed(wide));
    }
  }
}

TEST_F(LossesTest, AGradientOfAnotherTypeOrShapeIsRefused) {
  const Shape shape{2, 3, 0, 0};
  const Data data(shape);
  std::vector<double> wide(6);
  std::vector<float> small(4);
  EXPECT_THROW(cross_entropy(data, view(data.logits, shape), matrix_of(wide, 2, 3)), Error);
  EXPECT_THROW(cross_entropy(data, view(data.logits, shape), matrix_of(small, 2, 2)), Error);
}

}  // namespace
}  // namespace recombine
