#include <cmath>

#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::random_values;
using test::view_of;

struct State {
  std::vector<double> w, m, v;
};

/// One step by the formulas of kernels/math.hpp, in double precision.
void step_plainly(State& s, const std::vector<float>& gradient, const OptimizerStep& o, double clip) {
  const double beta1 = o.beta1;
  const double beta2 = o.beta2;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double g = clip * gradient[i];
    double& w = s.w[i];
    if (o.kind == OptimizerKind::sgd) w -= o.lr * (g + o.weight_decay * w);
    if (o.kind == OptimizerKind::momentum) {
      s.m[i] = beta1 * s.m[i] + g + o.weight_decay * w;
      w -= o.lr * s.m[i];
    }
    if (o.kind == OptimizerKind::adamw) {
      s.m[i] = beta1 * s.m[i] + (1 - beta1) * g;
      s.v[i] = beta2 * s.v[i] + (1 - beta2) * g * g;
      const double m_hat = s.m[i] / (1 - std::pow(beta1, static_cast<double>(o.step)));
      const double v_hat = s.v[i] / (1 - std::pow(beta2, static_cast<double>(o.step)));
      w -= o.lr * (m_hat / (std::sqrt(v_hat) + o.epsilon) + o.weight_decay * w);
    }
  }
}

class OptimizerTest : public test::MathTest {
 protected:
  /// Compares three steps of `o` with plain ones. `clip` is the factor that clip_norm must give.
  void check(OptimizerStep o, std::int64_t size, double clip) {
    const auto n = static_cast<std::size_t>(size);
    auto w = random_values(size, 1);
    std::vector<float> m(n);
    std::vector<float> v(n);
    State expected{{w.begin(), w.end()}, std::vector<double>(n), std::vector<double>(n)};
    for (o.step = 1; o.step <= 3; ++o.step) {
      const auto gradient = random_values(size, 1 + static_cast<std::uint64_t>(o.step));
      o.weights = view_of(w);
      o.gradient = view_of(gradient);
      o.first_moment = view_of(m);
      o.second_moment = view_of(v);
      math_.optimizer_step(*stream_, o);
      step_plainly(expected, gradient, o, clip);
    }
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_NEAR(w[i], expected.w[i], 2e-6) << i;
      ASSERT_NEAR(m[i], expected.m[i], 2e-6) << i;
      ASSERT_NEAR(v[i], expected.v[i], 2e-6) << i;
    }
  }
};

TEST_F(OptimizerTest, StepsAgreeWithPlainLoops) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adamw}) {
    for (const float decay : {0.0F, 0.1F}) {
      for (const std::int64_t size : {0, 1, 7, 33, 1000}) {
        SCOPED_TRACE(::testing::Message() << "kind " << static_cast<int>(kind) << " decay " << decay << " n " << size);
        check({.kind = kind, .lr = 0.05F, .beta1 = 0.8F, .beta2 = 0.95F, .epsilon = 1e-3F, .weight_decay = decay}, size,
              1);
      }
    }
  }
}

TEST_F(OptimizerTest, RoundedWeightsAreTheUpdatedWeightsRounded) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adamw}) {
    for (const std::int64_t size : {1, 7, 33, 1000}) {
      auto w = random_values(size, 1);
      const auto gradient = random_values(size, 2);
      std::vector<float> m(w.size());
      std::vector<float> v(w.size());
      std::vector<BFloat16> rounded(w.size());
      std::vector<BFloat16> expected(w.size());
      math_.optimizer_step(*stream_, {.kind = kind,
                                      .weights = view_of(w),
                                      .gradient = view_of(gradient),
                                      .first_moment = view_of(m),
                                      .second_moment = view_of(v),
                                      .rounded_weights = view_of(rounded),
                                      .lr = 0.1F});
      math_.cast(*stream_, test::matrix_of(w, 1, size), test::matrix_of(expected, 1, size));
      EXPECT_EQ(rounded, expected) << "kind " << static_cast<int>(kind) << " n " << size;
      EXPECT_NE(w, random_values(size, 1));
    }
  }
}

TEST_F(OptimizerTest, ClippingScalesOnlyLongGradients) {
  const double square_sum = 16;
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adamw}) {
    OptimizerStep o{.kind = kind,
                    .lr = 0.05F,
                    .epsilon = 1e-2F,
                    .weight_decay = 0.1F,
                    .gradient_square_sum = &square_sum,
                    .clip_norm = 1};
    check(o, 100, 0.25);
    o.clip_norm = 5;
    check(o, 100, 1);
  }
}

TEST_F(OptimizerTest, ANaNGradientReachesTheWeights) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adamw}) {
    std::vector<float> w(20, 1.0F);
    std::vector<float> m(20);
    std::vector<float> v(20);
    const std::vector<float> gradient(20, NAN);
    math_.optimizer_step(*stream_, {.kind = kind,
                                    .weights = view_of(w),
                                    .gradient = view_of(gradient),
                                    .first_moment = view_of(m),
                                    .second_moment = view_of(v),
                                    .lr = 0.1F});
    for (const float x : w) EXPECT_TRUE(std::isnan(x)) << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace recombine
