#include <cmath>

#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::matrix_of;
using test::random_values;
using test::view_of;

/// Sums over many blocks of a GPU. Each call must leave its Workspace ready for the next call.
class SumsTest : public test::MathTest {
 protected:
  std::vector<float> column_sums(const std::vector<float>& x, std::int64_t rows, std::int64_t cols) {
    std::vector<float> gradient = x;
    std::vector<float> sums(static_cast<std::size_t>(cols));
    math_.activation_gradient(*stream_, {.saved = matrix_of(x, rows, cols),
                                         .gradient = matrix_of(gradient, rows, cols),
                                         .bias_gradient = view_of(sums),
                                         .activation = Activation::identity});
    return sums;
  }
};

TEST_F(SumsTest, ColumnSumsOfAnyShapeAgreeWithDoublePrecision) {
  for (const auto& [rows, cols] :
       {std::pair{1, 1}, {3, 5}, {65, 128}, {400, 132}, {1500, 3}, {2000, 1}, {129, 401}, {70, 1100}}) {
    SCOPED_TRACE(::testing::Message() << rows << " x " << cols);
    const auto x = random_values(std::int64_t{rows} * cols, 1);
    const auto sums = column_sums(x, rows, cols);
    for (std::int64_t j = 0; j < cols; ++j) {
      double expected = 0;
      for (std::int64_t i = 0; i < rows; ++i) expected += x[static_cast<std::size_t>(i * cols + j)];
      ASSERT_NEAR(sums[static_cast<std::size_t>(j)], expected, 1e-6 * std::sqrt(rows) + 1e-5) << j;
    }
    EXPECT_EQ(column_sums(x, rows, cols), sums);
  }
}

TEST_F(SumsTest, ANaNReachesOnlyItsColumn) {
  constexpr std::int64_t kRows = 700;
  auto x = random_values(kRows * 132, 1);
  x[699 * 132 + 77] = NAN;
  const auto sums = column_sums(x, kRows, 132);
  for (std::size_t j = 0; j < sums.size(); ++j) EXPECT_EQ(std::isnan(sums[j]), j == 77) << j;
}

TEST_F(SumsTest, LossesOfManyRowsAreAddedOnce) {
  for (const std::int64_t cols : {3, 40, 1100}) {
    const std::int64_t rows = cols > 1000 ? 3 : cols > 32 ? 60 : 1500;
    const std::vector<float> logits(static_cast<std::size_t>(rows * cols));
    const std::vector<std::int32_t> labels(1);
    const std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
    LossSums sums{1, 2};
    for (int call = 1; call <= 2; ++call) {
      math_.softmax_cross_entropy(
          *stream_,
          {.logits = matrix_of(logits, rows, cols), .labels = view_of(labels), .rows = view_of(order), .sums = &sums});
      const double loss = std::log(static_cast<double>(cols)) * static_cast<double>(rows);
      ASSERT_NEAR(sums.loss_sum, 1 + call * loss, 1e-6 * call * loss) << cols;
      ASSERT_EQ(sums.correct, 2 + static_cast<double>(call * rows)) << cols;
    }
  }
}

TEST_F(SumsTest, TwoStreamsAtOnceDoNotShareTheirParts) {
  static constexpr std::int64_t kSize = 9000;
  static constexpr int kCalls = 6;
  const auto other_stream = device_->make_stream(StreamUse::compute);
  struct Work {
    Stream* stream;
    Buffer x;
    Buffer sums;
    double expected = 0;
  };
  std::vector<Work> works;
  for (Stream* const stream : {stream_.get(), other_stream.get()}) {
    works.push_back({stream, Buffer(*device_, DataType::f32, kSize), Buffer(*device_, DataType::f64, kCalls)});
    const auto values = random_values(kSize, works.size());
    math_.add_square_sum(*stream, view_of(values), &works.back().expected);
    device_->copy(*stream, works.back().x.view(), view_of(values));
    device_->math().axpby(*stream, 0, {}, 0, works.back().sums.view());
    stream->synchronize();
  }
  for (int call = 0; call < kCalls; ++call) {
    for (const Work& work : works) {
      device_->math().add_square_sum(*work.stream, work.x.view(), work.sums.view().as<double>() + call);
    }
  }
  for (const Work& work : works) {
    std::vector<double> sums(kCalls);
    device_->copy(*work.stream, view_of(sums), work.sums.view());
    work.stream->synchronize();
    for (const double sum : sums) EXPECT_EQ(sum, work.expected);
  }
}

}  // namespace
}  // namespace recombine
