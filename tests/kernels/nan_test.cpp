#include <cmath>
#include <limits>
#include <type_traits>

#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::matrix_of;
using test::random_values;
using test::view_of;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Activation kActivations[] = {Activation::identity, Activation::relu, Activation::gelu, Activation::tanh,
                                       Activation::sigmoid};
constexpr OptimizerKind kOptimizers[] = {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adamw};

/// On every route, a NaN reaches all values that are computed from it, and no others.
class NaNTest : public test::MathTest {
 protected:
  /// Which input of a product has the NaN.
  enum class From { a, b, bias, c };

  struct Moments {
    explicit Moments(std::size_t size) : first(size), second(size) {}
    std::vector<float> first, second;
  };
  OptimizerStep first_step(OptimizerKind kind, std::vector<float>& weights, std::vector<float>& gradient,
                           Moments& moments) {
    return {.kind = kind,
            .weights = view_of(weights),
            .gradient = view_of(gradient),
            .first_moment = view_of(moments.first),
            .second_moment = view_of(moments.second),
            .rates = &rates_};
  }

  const OptimizerRates rates_ = OptimizerRates::at(1, 0.1);

  template <class T>
  std::vector<T> narrowed(const std::vector<float>& x) {
    std::vector<T> typed(x.size());
    const auto size = static_cast<std::int64_t>(x.size());
    math_.cast(*stream_, matrix_of(x, 1, size), matrix_of(typed, 1, size));
    return typed;
  }

  /// activation(A B^T + beta C + bias) with a NaN in row `row` of A or C, or in column `col` of B^T, bias or C.
  template <class T, class Out>
  void check_product(std::int64_t m, std::int64_t n, std::int64_t k, From from, Activation activation, float beta) {
    SCOPED_TRACE(::testing::Message() << name_of(data_type_of<T>) << " to " << name_of(data_type_of<Out>) << " " << m
                                      << " " << n << " " << k << " from " << static_cast<int>(from) << " activation "
                                      << static_cast<int>(activation) << " beta " << beta);
    auto a = random_values(m * k, 1);
    auto b = random_values(n * k, 2);
    auto bias = random_values(n, 3);
    auto initial = random_values(m * n, 4);
    const std::int64_t row = m - 1;
    const std::int64_t col = n / 2;
    const auto at = [](std::int64_t index) { return static_cast<std::size_t>(index); };
    if (from == From::a) {
      a[at(row * k + k / 2)] = kNaN;
      for (std::int64_t j = 0; j < n; ++j) b[at(j * k + k / 2)] = 0;  // 0 * NaN is NaN: a library must not skip zeros
    }
    if (from == From::b) b[at(col * k + k - 1)] = kNaN;
    if (from == From::bias) bias[at(col)] = kNaN;
    if (from == From::c) initial[at(row * n + col)] = kNaN;
    const auto typed_a = narrowed<T>(a);
    const auto typed_b = narrowed<T>(b);
    const auto typed_bias = narrowed<Out>(bias);
    auto c = narrowed<Out>(initial);
    math_.gemm(*stream_, {.a = matrix_of(typed_a, m, k),
                          .b = matrix_of(typed_b, n, k),
                          .trans_b = Transpose::yes,
                          .c = matrix_of(c, m, n),
                          .beta = beta,
                          .bias = from == From::c ? ConstVectorView{} : view_of(typed_bias),
                          .activation = activation});
    std::vector<float> found(c.size());
    math_.cast(*stream_, matrix_of(c, m, n), matrix_of(found, m, n));
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        const bool in_row = i == row && from != From::b && from != From::bias;
        const bool in_col = j == col && from != From::a;
        const bool expected = from == From::c ? in_row && in_col && beta != 0 : in_row || in_col;
        ASSERT_EQ(std::isnan(found[at(i * n + j)]), expected) << i << " " << j;
      }
    }
  }

  template <class T, class Out>
  void check_products() {
    static constexpr std::int64_t kShapes[][3] = {{1, 1, 1},   {1, 64, 33},   {64, 1, 40},   {5, 7, 3},
                                                  {33, 10, 8}, {64, 96, 128}, {520, 12, 130}};
    for (const auto& [m, n, k] : kShapes) {
      for (const From from : {From::a, From::b, From::bias, From::c}) {
        for (const Activation activation : kActivations) {
          check_product<T, Out>(m, n, k, from, activation, 0);
          if (!std::is_same_v<Out, BFloat16>) check_product<T, Out>(m, n, k, from, activation, 0.5F);
        }
      }
    }
  }
};

TEST_F(NaNTest, PassesThroughProductsAndTheirActivations) { check_products<float, float>(); }
TEST_F(NaNTest, PassesThroughBf16ProductsAndTheirActivations) { check_products<BFloat16, float>(); }
TEST_F(NaNTest, PassesThroughBf16ResultsAndTheirActivations) { check_products<BFloat16, BFloat16>(); }

TEST_F(NaNTest, InfinitiesGiveTheSameResultFusedAndSeparate) {
  // One column for each: infinities and large values of both signs.
  const std::vector<float> b = {kInfinity, -kInfinity, 1e30F, -1e30F};
  const std::vector<float> a = {1, 2};
  for (const Activation activation : kActivations) {
    std::vector<float> fused(8, kNaN);
    std::vector<float> apart(8, kNaN);
    Gemm gemm{.a = matrix_of(a, 2, 1), .b = matrix_of(b, 1, 4), .c = matrix_of(fused, 2, 4), .activation = activation};
    math_.gemm(*stream_, gemm);
    gemm.c = matrix_of(apart, 2, 4);
    gemm.activation = Activation::identity;
    math_.gemm(*stream_, gemm);
    math_.bias_activation(*stream_, {.in = gemm.c, .out = gemm.c, .activation = activation});
    for (std::size_t i = 0; i < fused.size(); ++i) {
      EXPECT_TRUE(std::isnan(fused[i]) ? std::isnan(apart[i])
                                       : std::abs(fused[i] - apart[i]) < 1e-6 || fused[i] == apart[i])
          << static_cast<int>(activation) << " at " << i << ": " << fused[i] << " and " << apart[i];
    }
    if (activation != Activation::relu) continue;
    EXPECT_EQ(fused, (std::vector<float>{kInfinity, 0, 1e30F, 0, kInfinity, 0, 2e30F, 0}));
  }
}

TEST_F(NaNTest, PassesThroughActivationGradients) {
  static constexpr std::int64_t kRows = 40;
  for (const std::int64_t cols : {3, 64, 70}) {
    for (const Activation activation : kActivations) {
      for (const float incoming : {1.0F, 0.0F, kNaN}) {
        if (activation == Activation::identity && !std::isnan(incoming)) continue;  // it does not read `saved`
        auto saved = random_values(kRows * cols, 1);
        std::vector<float> gradient(saved.size(), 1.0F);
        std::vector<float> sums(static_cast<std::size_t>(cols));
        const auto at = static_cast<std::size_t>(7 * cols + 2);
        if (!std::isnan(incoming)) saved[at] = kNaN;
        gradient[at] = incoming;
        math_.activation_gradient(*stream_, {.saved = matrix_of(saved, kRows, cols),
                                             .gradient = matrix_of(gradient, kRows, cols),
                                             .bias_gradient = view_of(sums),
                                             .activation = activation});
        for (std::size_t i = 0; i < gradient.size(); ++i) {
          ASSERT_EQ(std::isnan(gradient[i]), i == at) << static_cast<int>(activation) << " " << incoming << " at " << i;
        }
        for (std::size_t j = 0; j < sums.size(); ++j) ASSERT_EQ(std::isnan(sums[j]), j == 2) << j;
      }
    }
  }
}

TEST_F(NaNTest, ReachesTheLossFromAnyColumn) {
  for (const std::int64_t cols : {1, 2, 10, 37, 128, 600}) {
    for (const std::int64_t at : {std::int64_t{0}, cols / 2, cols - 1}) {
      for (const float bad : {kNaN, kInfinity}) {
        auto logits = random_values(3 * cols, 1);
        logits[static_cast<std::size_t>(cols + at)] = bad;
        const std::vector<float> targets = random_values(3 * cols, 2);
        for (const std::int32_t label : {0, static_cast<std::int32_t>(cols - 1)}) {
          const std::vector<std::int32_t> labels(3, label);
          const std::vector<std::int64_t> rows = {0, 1, 2};
          std::vector<float> gradient(logits.size());
          LossSums sums;
          math_.softmax_cross_entropy(*stream_, {.logits = matrix_of(logits, 3, cols),
                                                 .labels = view_of(labels),
                                                 .rows = view_of(rows),
                                                 .gradient = matrix_of(gradient, 3, cols),
                                                 .sums = &sums});
          EXPECT_TRUE(std::isnan(sums.loss_sum)) << cols << " columns, " << bad << " at " << at << ", label " << label;
          EXPECT_LE(sums.correct, 2) << "a row that contains " << bad << " must not count as correct";
          EXPECT_TRUE(std::isnan(gradient[static_cast<std::size_t>(cols + at)]));
          for (std::int64_t j = 0; j < cols; ++j) {
            EXPECT_FALSE(std::isnan(gradient[static_cast<std::size_t>(j)]));
            EXPECT_FALSE(std::isnan(gradient[static_cast<std::size_t>(2 * cols + j)]));
          }
        }
        const std::vector<std::int64_t> rows = {0, 1, 2};
        LossSums sums;
        std::vector<float> gradient(logits.size());
        math_.squared_error(*stream_, {.outputs = matrix_of(logits, 3, cols),
                                       .targets = matrix_of(targets, 3, cols),
                                       .rows = view_of(rows),
                                       .gradient = matrix_of(gradient, 3, cols),
                                       .sums = &sums});
        EXPECT_FALSE(std::isfinite(sums.loss_sum)) << cols << " columns, " << bad << " at " << at;
        EXPECT_FALSE(std::isfinite(gradient[static_cast<std::size_t>(cols + at)]));
      }
    }
  }
}

TEST_F(NaNTest, TheOptimizerReportsTheLastWeightThatIsNotFinite) {
  for (const OptimizerKind kind : kOptimizers) {
    for (const std::int64_t size : {1, 7, 64, 1003, 100000}) {
      for (const std::int64_t at : {std::int64_t{-1}, std::int64_t{0}, size / 2, size - 1}) {
        for (const float bad : {kNaN, kInfinity, -kInfinity}) {
          SCOPED_TRACE(::testing::Message()
                       << "kind " << static_cast<int>(kind) << " size " << size << " " << bad << " at " << at);
          auto w = random_values(size, 1);
          if (at >= 0) w[static_cast<std::size_t>(at)] = w[static_cast<std::size_t>(at / 2)] = bad;
          auto gradient = random_values(size, 2);
          Moments moments(w.size());
          OptimizerStep step = first_step(kind, w, gradient, moments);
          step.first_weight = 1000;
          for (const double before : {0.0, 5.0, 1e9}) {  // larger than every index: it stays
            double told = before;
            step.bad_weight = &told;
            math_.optimizer_step(*stream_, step);
            EXPECT_EQ(told, at < 0 ? before : std::max(before, static_cast<double>(1001 + at)));
          }
        }
      }
    }
  }
}

/// If the norm is NaN, every weight becomes NaN. The weight whose own gradient is NaN is told.
TEST_F(NaNTest, TheOptimizerTellsWhereANaNNormComesFrom) {
  for (const OptimizerKind kind : kOptimizers) {
    for (const bool here : {true, false}) {
      std::vector<float> w(70, 1.0F);
      Moments moments(w.size());
      std::vector<float> gradient(70, 0.5F);
      if (here) gradient[33] = kNaN;
      double square_sum = kNaN;
      double told = 0;
      OptimizerStep step = first_step(kind, w, gradient, moments);
      step.gradient_square_sum = &square_sum;
      step.clip_norm = 1;
      step.first_weight = 100;
      step.bad_weight = &told;
      math_.optimizer_step(*stream_, step);
      EXPECT_EQ(told, here ? 134 : 1);
    }
  }
}

TEST_F(NaNTest, ActivationGradientsReportSavedValuesThatAreNotFinite) {
  static constexpr std::int64_t kRows = 40;
  for (const std::int64_t cols : {1, 3, 64, 70}) {
    for (const Activation activation : kActivations) {
      for (const std::int64_t at : {std::int64_t{-1}, std::int64_t{0}, 20 * cols, kRows * cols - 1}) {
        for (const float bad : {kNaN, kInfinity, -kInfinity}) {
          for (const bool sums_columns : {true, false}) {
            auto saved = random_values(kRows * cols, 1);
            if (at >= 0) saved[static_cast<std::size_t>(at)] = bad;
            std::vector<float> gradient(saved.size(), 1.0F);
            std::vector<float> sums(static_cast<std::size_t>(cols));
            for (const double before : {0.0, 2.0, 9.0}) {
              double told = before;
              math_.activation_gradient(*stream_, {.saved = matrix_of(saved, kRows, cols),
                                                   .gradient = matrix_of(gradient, kRows, cols),
                                                   .bias_gradient = sums_columns ? view_of(sums) : VectorView{},
                                                   .activation = activation,
                                                   .bad_saved = &told,
                                                   .bad_mark = 3});
              EXPECT_EQ(told, at < 0 ? before : std::max(before, 3.0))
                  << static_cast<int>(activation) << " " << bad << " at " << at << " of " << cols << " columns";
            }
          }
        }
      }
    }
  }
}

TEST_F(NaNTest, ClippingByANaNNormReachesEveryWeight) {
  for (const OptimizerKind kind : kOptimizers) {
    std::vector<float> w(70, 1.0F);
    Moments moments(w.size());
    std::vector<float> gradient(70, 0.5F);
    gradient[3] = kNaN;
    double square_sum = 0;
    math_.add_square_sum(*stream_, view_of(gradient), &square_sum);
    EXPECT_TRUE(std::isnan(square_sum));
    OptimizerStep step = first_step(kind, w, gradient, moments);
    step.gradient_square_sum = &square_sum;
    step.clip_norm = 1;
    math_.optimizer_step(*stream_, step);
    for (const float x : w) EXPECT_TRUE(std::isnan(x)) << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace recombine
