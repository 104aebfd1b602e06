#include <cmath>

#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::random_values;
using test::view_of;

struct State {
  std::vector<double> w, m, v;
};

constexpr float kRate = 0.05F;
const OptimizerRates kRates = OptimizerRates::at(1, 0.1F);

/// Step number `step` by the formulas of kernels/math.hpp, in double precision. Weight i has no decay if undecayed(i).
template <class Undecayed>
void step_plainly(State& s, const std::vector<float>& gradient, const OptimizerStep& o, std::int64_t step, double clip,
                  const Undecayed& undecayed) {
  const double lr = kRate;
  const double beta1 = o.beta1;
  const double beta2 = o.beta2;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double g = clip * gradient[i];
    const double decay = undecayed(static_cast<std::int64_t>(i)) ? 0.0 : static_cast<double>(o.weight_decay);
    double& w = s.w[i];
    if (o.kind == OptimizerKind::sgd) w -= lr * (g + decay * w);
    if (o.kind == OptimizerKind::momentum) {
      s.m[i] = beta1 * s.m[i] + g + decay * w;
      w -= lr * s.m[i];
    }
    if (o.kind == OptimizerKind::adamw) {
      s.m[i] = beta1 * s.m[i] + (1 - beta1) * g;
      s.v[i] = beta2 * s.v[i] + (1 - beta2) * g * g;
      const double m_hat = s.m[i] / (1 - std::pow(beta1, static_cast<double>(step)));
      const double v_hat = s.v[i] / (1 - std::pow(beta2, static_cast<double>(step)));
      w -= lr * (m_hat / (std::sqrt(v_hat) + o.epsilon) + decay * w);
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
    const auto undecayed = [&](std::int64_t i) {
      const auto* const flat = o.undecayed.as<std::int64_t>();
      for (std::int64_t r = 0; r < o.undecayed.size; r += 2) {
        if (o.first_weight + i >= flat[r] && o.first_weight + i < flat[r + 1]) return true;
      }
      return false;
    };
    for (std::int64_t step = 1; step <= 3; ++step) {
      const auto gradient = random_values(size, 1 + static_cast<std::uint64_t>(step));
      const OptimizerRates rates = OptimizerRates::at(step, kRate, o.beta1, o.beta2);
      o.rates = &rates;
      o.weights = view_of(w);
      o.gradient = view_of(gradient);
      o.first_moment = view_of(m);
      o.second_moment = view_of(v);
      math_.optimizer_step(*stream_, o);
      step_plainly(expected, gradient, o, step, clip, undecayed);
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
        check({.kind = kind, .beta1 = 0.8F, .beta2 = 0.95F, .epsilon = 1e-3F, .weight_decay = decay}, size, 1);
      }
    }
  }
}

TEST_F(OptimizerTest, RangesWithoutDecay) {
  // Ranges before, across and inside the weights, next to each other, empty, and after the last weight.
  const std::vector<std::int64_t> flat = {3,   9,   95,  102,  111,  112,  112,  112,  112,
                                          118, 150, 151, 1090, 1093, 1100, 1200, 1500, 1600};
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adamw}) {
    for (const std::int64_t size : {7, 33, 1000, 2000}) {
      SCOPED_TRACE(::testing::Message() << "kind " << static_cast<int>(kind) << " n " << size);
      check({.kind = kind, .epsilon = 1e-3F, .weight_decay = 0.5F, .undecayed = view_of(flat), .first_weight = 100},
            size, 1);
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
                                      .rates = &kRates});
      math_.cast(*stream_, test::matrix_of(w, 1, size), test::matrix_of(expected, 1, size));
      EXPECT_EQ(rounded, expected) << "kind " << static_cast<int>(kind) << " n " << size;
      EXPECT_NE(w, random_values(size, 1));
    }
  }
}

TEST_F(OptimizerTest, ClippingScalesOnlyLongGradients) {
  const double square_sum = 16;
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adamw}) {
    OptimizerStep o{
        .kind = kind, .epsilon = 1e-2F, .weight_decay = 0.1F, .gradient_square_sum = &square_sum, .clip_norm = 1};
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
                                    .rates = &kRates});
    for (const float x : w) EXPECT_TRUE(std::isnan(x)) << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace recombine
