#include <cmath>
#include <limits>

#include "kernels/error.hpp"
#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::matrix_of;
using test::random_values;
using test::view_of;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kScale = 0.25F;

struct Loss {
  LossSums sums;
  std::vector<float> gradient;
};

/// Compares the loss of rows that are cut into parts of columns with the same loss of whole rows.
class LossPartsTest : public test::MathTest {
 protected:
  struct Rows {
    std::int64_t rows;
    std::int64_t cols;
    std::vector<float> logits;
    std::vector<std::int32_t> labels;  // of the data set, which has the rows in reverse order
    std::vector<std::int64_t> positions;
  };

  static Rows random_rows(std::int64_t rows, std::int64_t cols) {
    Rows data{rows, cols, random_values(rows * cols, 1), {}, {}};
    for (float& x : data.logits) x *= 6;
    for (std::int64_t i = 0; i < rows; ++i) {
      data.labels.push_back(static_cast<std::int32_t>(i * 7 % cols));
      data.positions.push_back(rows - 1 - i);
    }
    return data;
  }
  static void set_label(Rows& data, std::int64_t row, std::int32_t label) {
    data.labels[static_cast<std::size_t>(data.rows - 1 - row)] = label;
  }

  Loss fused(const Rows& data) {
    Loss loss{{}, std::vector<float>(data.logits.size())};
    math_.softmax_cross_entropy(*stream_, {.logits = matrix_of(data.logits, data.rows, data.cols),
                                           .labels = view_of(data.labels),
                                           .rows = view_of(data.positions),
                                           .gradient = matrix_of(loss.gradient, data.rows, data.cols),
                                           .gradient_scale = kScale,
                                           .sums = &loss.sums});
    return loss;
  }

  /// Computes the gradient in place, with bounds.size() - 1 parts. Every part must report the same loss.
  Loss by_parts(const Rows& data, const std::vector<std::int64_t>& bounds) {
    Loss loss{{}, data.logits};
    const auto parts = static_cast<std::int64_t>(bounds.size()) - 1;
    std::vector<SoftmaxRowStats> stats(static_cast<std::size_t>(parts * data.rows));
    const auto columns = [&](std::int64_t p) {
      const std::int64_t begin = bounds[static_cast<std::size_t>(p)];
      return matrix_of(loss.gradient, data.rows, data.cols)
          .block(0, begin, data.rows, bounds[static_cast<std::size_t>(p) + 1] - begin);
    };
    for (std::int64_t p = 0; p < parts; ++p) {
      math_.softmax_stats(*stream_, {.logits = columns(p),
                                     .labels = view_of(data.labels),
                                     .rows = view_of(data.positions),
                                     .first_col = bounds[static_cast<std::size_t>(p)],
                                     .stats = stats.data() + p * data.rows});
    }
    for (std::int64_t p = 0; p < parts; ++p) {
      LossSums sums;
      math_.softmax_from_stats(*stream_, {.logits = columns(p),
                                          .labels = view_of(data.labels),
                                          .rows = view_of(data.positions),
                                          .first_col = bounds[static_cast<std::size_t>(p)],
                                          .stats = stats.data(),
                                          .parts = parts,
                                          .gradient = columns(p),
                                          .gradient_scale = kScale,
                                          .sums = &sums});
      if (p == 0) loss.sums = sums;
      expect_same_value(sums.loss_sum, loss.sums.loss_sum, 0);
      EXPECT_EQ(sums.correct, loss.sums.correct) << "part " << p;
    }
    return loss;
  }

  static void expect_near(const Loss& loss, const Loss& expected) {
    EXPECT_EQ(loss.sums.correct, expected.sums.correct);
    expect_same_value(loss.sums.loss_sum, expected.sums.loss_sum, 1e-6 * (1 + std::abs(expected.sums.loss_sum)));
    for (std::size_t i = 0; i < expected.gradient.size(); ++i) {
      ASSERT_NO_FATAL_FAILURE(expect_same_value(loss.gradient[i], expected.gradient[i], 3e-7)) << "element " << i;
    }
  }
  static void expect_same_value(double value, double expected, double most) {
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(value)) << value;
    } else if (std::isinf(expected)) {
      ASSERT_EQ(value, expected);
    } else {
      ASSERT_NEAR(value, expected, most);
    }
  }
};

TEST_F(LossPartsTest, OnePartAgreesWithTheFusedPass) {
  for (const auto& [rows, cols] :
       {std::pair{1, 1}, {300, 1}, {5, 2}, {300, 10}, {5, 37}, {3, 128}, {2, 500}, {2, 601}}) {
    SCOPED_TRACE(::testing::Message() << rows << " x " << cols);
    const Rows data = random_rows(rows, cols);
    expect_near(by_parts(data, {0, cols}), fused(data));
  }
}

TEST_F(LossPartsTest, PartsAgreeWithTheFusedPass) {
  for (const std::int64_t rows : {1, 7}) {
    const Rows narrow = random_rows(rows, 37);
    const Loss expected = fused(narrow);
    for (const auto& bounds : {std::vector<std::int64_t>{0, 20, 37}, {0, 1, 36, 37}, {0, 0, 12, 12, 12, 37, 37}}) {
      expect_near(by_parts(narrow, bounds), expected);
    }
  }
  const Rows many = random_rows(300, 10);
  expect_near(by_parts(many, {0, 4, 10}), fused(many));
  const Rows wide = random_rows(2, 1300);
  expect_near(by_parts(wide, {0, 600, 1300}), fused(wide));
  expect_near(by_parts(wide, {0, 3, 100, 1299, 1300}), fused(wide));
}

TEST_F(LossPartsTest, TheFirstColumnOfTheMaximumWins) {
  for (const std::vector<std::int64_t>& bounds : {std::vector<std::int64_t>{0, 4, 8}, {0, 2, 3, 6, 8}}) {
    for (std::int32_t label = 0; label < 8; ++label) {
      Rows data{1, 8, {0, 1, 5, 0, 5, 2, 5, 5}, {label}, {0}};
      EXPECT_EQ(by_parts(data, bounds).sums.correct, label == 2 ? 1 : 0) << label;
      expect_near(by_parts(data, bounds), fused(data));
    }
  }
}

TEST_F(LossPartsTest, NaNAndInfinitiesAreTreatedAsByTheFusedPass) {
  for (const std::int64_t cols : {9, 600}) {  // a row that fits into the registers of a warp, and one that does not
    const std::vector<std::int64_t> bounds = {0, cols / 3, cols / 3 + 1, cols};
    for (const float value : {kNaN, kInfinity, -kInfinity, 3e38F, -3e38F}) {
      for (const std::int64_t at : {std::int64_t{0}, cols / 2, cols - 1}) {
        for (const std::int64_t label : {at, cols / 3}) {
          SCOPED_TRACE(::testing::Message() << cols << " columns, " << value << " at " << at << ", label " << label);
          Rows data = random_rows(2, cols);
          data.logits[static_cast<std::size_t>(cols + at)] = value;
          set_label(data, 1, static_cast<std::int32_t>(label));
          const Loss expected = fused(data);
          expect_near(by_parts(data, bounds), expected);
          expect_near(by_parts(data, {0, cols}), expected);
        }
      }
    }
  }
}

TEST_F(LossPartsTest, APartThatIsAllMinusInfinityDoesNotChangeTheLoss) {
  for (const std::int64_t part : {0, 1, 2}) {
    for (const std::int64_t cols : {9, 1800}) {
      Rows data = random_rows(2, cols);
      for (std::int64_t j = part * cols / 3; j < (part + 1) * cols / 3; ++j) {
        data.logits[static_cast<std::size_t>(j)] = -kInfinity;
      }
      for (const std::int64_t label : {std::int64_t{0}, cols / 2, cols - 1}) {
        SCOPED_TRACE(::testing::Message() << cols << " columns, part " << part << ", label " << label);
        set_label(data, 0, static_cast<std::int32_t>(label));
        expect_near(by_parts(data, {0, cols / 3, 2 * cols / 3, cols}), fused(data));
      }
    }
  }
  Rows all{1, 4, std::vector<float>(4, -kInfinity), {1}, {0}};
  expect_near(by_parts(all, {0, 2, 4}), fused(all));
}

TEST_F(LossPartsTest, StatisticsDescribeTheirPartOnly) {
  const std::vector<float> logits = {1, 3, 3, -kInfinity};
  const std::vector<std::int32_t> labels = {11, 13};
  const std::vector<std::int64_t> rows = {1, 0};  // row 0 has label 13, row 1 label 11
  const auto stats_of = [&](ConstMatrixView part, std::int64_t first_col) {
    std::vector<SoftmaxRowStats> stats(2);
    math_.softmax_stats(*stream_, {.logits = part,
                                   .labels = view_of(labels),
                                   .rows = view_of(rows),
                                   .first_col = first_col,
                                   .stats = stats.data()});
    return stats;
  };
  const auto stats = stats_of(matrix_of(logits, 2, 2), 10);
  EXPECT_EQ(stats[0].largest, 3);
  EXPECT_NEAR(stats[0].sum, 1 + std::exp(-2.0), 1e-6);
  EXPECT_EQ(stats[0].at, 11);
  EXPECT_EQ(stats[0].label_logit, -kInfinity);
  EXPECT_EQ(stats[1].at, 10);
  EXPECT_EQ(stats[1].sum, 1);
  EXPECT_EQ(stats[1].label_logit, -kInfinity);  // column 11 of row 1 is -infinity
  EXPECT_EQ(stats_of(matrix_of(logits, 2, 2), 12)[0].label_logit, 3);
  for (const SoftmaxRowStats& none : stats_of(matrix_of(logits, 2, 2).block(0, 0, 2, 0), 10)) {
    EXPECT_EQ(none.largest, -kInfinity);
    EXPECT_EQ(none.sum, 0);
    EXPECT_EQ(none.at, std::numeric_limits<std::int32_t>::max());
    EXPECT_EQ(none.label_logit, -kInfinity);
  }
}

TEST_F(LossPartsTest, ALabelOutsideAllPartsGivesAnInfiniteLoss) {
  for (const std::int32_t label : {-1, 9}) {
    Rows data = random_rows(1, 9);
    data.labels = {label};
    const Loss loss = by_parts(data, {0, 4, 9});
    EXPECT_EQ(loss.sums.loss_sum, kInfinity);
    EXPECT_EQ(loss.sums.correct, 0);
  }
}

TEST_F(LossPartsTest, SquaredErrorsOfPartsAddUp) {
  for (const std::int64_t cols : {7, 24, 300}) {
    constexpr std::int64_t kRows = 11;
    const auto outputs = random_values(kRows * cols, 1);
    const auto targets = random_values(20 * cols, 2);
    const std::vector<std::int64_t> rows = {8, 0, 3, 3, 19, 5, 6, 1, 2, 18, 4};
    const auto loss_of = [&](const std::vector<std::int64_t>& bounds) {
      Loss loss{{}, std::vector<float>(outputs.size())};
      for (std::size_t p = 0; p + 1 < bounds.size(); ++p) {
        const std::int64_t n = bounds[p + 1] - bounds[p];
        math_.squared_error(*stream_, {.outputs = matrix_of(outputs, kRows, cols).block(0, bounds[p], kRows, n),
                                       .targets = matrix_of(targets, 20, cols),
                                       .rows = view_of(rows),
                                       .gradient = matrix_of(loss.gradient, kRows, cols).block(0, bounds[p], kRows, n),
                                       .gradient_scale = kScale,
                                       .sums = &loss.sums,
                                       .first_col = bounds[p],
                                       .global_cols = cols});
      }
      return loss;
    };
    Loss whole{{}, std::vector<float>(outputs.size())};
    math_.squared_error(*stream_, {.outputs = matrix_of(outputs, kRows, cols),
                                   .targets = matrix_of(targets, 20, cols),
                                   .rows = view_of(rows),
                                   .gradient = matrix_of(whole.gradient, kRows, cols),
                                   .gradient_scale = kScale,
                                   .sums = &whole.sums});
    for (const std::vector<std::int64_t>& bounds :
         {std::vector<std::int64_t>{0, cols}, {0, 4, cols}, {0, 0, 1, 6, cols}}) {
      const Loss parts = loss_of(bounds);
      EXPECT_NEAR(parts.sums.loss_sum, whole.sums.loss_sum, 1e-6 * whole.sums.loss_sum) << cols;
      EXPECT_EQ(parts.gradient, whole.gradient) << cols;
    }
  }
}

TEST_F(LossPartsTest, TargetsOutsideTheirColumnsAreRefused) {
  std::vector<float> x(12);
  const std::vector<std::int64_t> rows = {0, 1};
  const auto call = [&](std::int64_t first_col, std::int64_t global_cols) {
    math_.squared_error(*stream_, {.outputs = matrix_of(x, 2, 3),
                                   .targets = matrix_of(x, 2, 6),
                                   .rows = view_of(rows),
                                   .first_col = first_col,
                                   .global_cols = global_cols});
  };
  EXPECT_NO_THROW(call(3, 6));
  EXPECT_THROW(call(4, 6), Error);
  EXPECT_THROW(call(-1, 6), Error);
  EXPECT_THROW(call(0, 5), Error);
  EXPECT_THROW(call(0, 0), Error);
}

}  // namespace
}  // namespace recombine
