#include <cmath>

#include "kernels/error.hpp"
#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::matrix_of;
using test::random_values;
using test::view_of;

constexpr Activation kActivations[] = {Activation::identity, Activation::relu, Activation::gelu, Activation::tanh,
                                       Activation::sigmoid};
constexpr double kHalfUnit = 0x1p-8 + 1e-6;  // of a bf16, plus the error of f32 arithmetic

struct Shape {
  std::int64_t rows, cols, ld;
};
constexpr Shape kShapes[] = {{5, 37, 37}, {9, 64, 64}, {300, 24, 32}, {7, 16, 19}, {1, 1, 1}};

/// Activations and their gradients in every pair of types, compared with f32 on the same values.
class ActivationTypesTest : public test::MathTest {
 protected:
  template <class To, class From>
  std::vector<To> cast(const std::vector<From>& x) {
    std::vector<To> y(x.size());
    const auto size = static_cast<std::int64_t>(x.size());
    math_.cast(*stream_, matrix_of(x, 1, size), matrix_of(y, 1, size));
    return y;
  }
  /// Values that T represents exactly, for a matrix of this shape.
  template <class T>
  std::vector<T> values(const Shape& shape, std::uint64_t tensor) {
    return cast<T>(random_values(shape.rows * shape.ld, tensor));
  }
  template <class Vector>
  static auto matrix(Vector& v, const Shape& shape) {
    return matrix_of(v, shape.rows, shape.ld).block(0, 0, shape.rows, shape.cols);
  }

  /// Expects `found` to be `exact`, rounded once, and the columns after the last to be as in `before`.
  void expect_rounded(const std::vector<float>& found, const std::vector<float>& exact,
                      const std::vector<float>& before, const Shape& shape) {
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (static_cast<std::int64_t>(i) % shape.ld >= shape.cols) {
        ASSERT_EQ(found[i], before[i]) << i;
      } else {
        ASSERT_NEAR(found[i], exact[i], kHalfUnit * std::abs(exact[i])) << i;
      }
    }
  }

  template <class In, class Out>
  void check_activation(const Shape& shape, Activation activation) {
    const auto in = values<In>(shape, 1);
    const auto bias = cast<Out>(random_values(shape.cols, 2));
    const auto wide_in = cast<float>(in);
    const auto wide_bias = cast<float>(bias);
    for (const std::int64_t bias_size : {std::int64_t{0}, shape.cols}) {
      std::vector<float> exact(in.size());
      math_.bias_activation(*stream_, {.in = matrix(wide_in, shape),
                                       .bias = view_of(wide_bias).range(0, bias_size),
                                       .out = matrix(exact, shape),
                                       .activation = activation});
      auto out = values<Out>(shape, 3);
      const auto before = cast<float>(out);
      BiasActivation call{.in = matrix(in, shape),
                          .bias = view_of(bias).range(0, bias_size),
                          .out = matrix(out, shape),
                          .activation = activation};
      math_.bias_activation(*stream_, call);
      expect_rounded(cast<float>(out), exact, before, shape);
      if constexpr (std::is_same_v<In, Out>) {  // in place
        auto both = in;
        call.in = call.out = matrix(both, shape);
        math_.bias_activation(*stream_, call);
        expect_rounded(cast<float>(both), exact, wide_in, shape);
      }
    }
  }

  template <class Stored, class In>
  void check_gradient(const Shape& shape, Activation activation, float beta) {
    const auto saved = values<Stored>(shape, 1);
    const auto incoming = values<In>(shape, 2);
    const auto wide_saved = cast<float>(saved);
    auto exact = cast<float>(incoming);
    math_.activation_gradient(
        *stream_, {.saved = matrix(wide_saved, shape), .gradient = matrix(exact, shape), .activation = activation});

    auto gradient = values<Stored>(shape, 3);
    const auto before = cast<float>(gradient);
    std::vector<float> sums(static_cast<std::size_t>(shape.cols), beta == 0 ? NAN : 0.25F);
    const auto old_sums = sums;
    ActivationGradient call{.saved = matrix(saved, shape),
                            .incoming = matrix(incoming, shape),
                            .gradient = matrix(gradient, shape),
                            .bias_gradient = view_of(sums),
                            .beta = beta,
                            .activation = activation};
    math_.activation_gradient(*stream_, call);
    expect_rounded(cast<float>(gradient), exact, before, shape);
    expect_sums(sums, cast<float>(gradient), beta == 0 ? 0 : beta * 0.25, shape);

    call.bias_gradient = {};
    auto without_sums = values<Stored>(shape, 3);
    call.gradient = matrix(without_sums, shape);
    double bad_saved = 0;
    call.bad_saved = &bad_saved;
    math_.activation_gradient(*stream_, call);
    expect_rounded(cast<float>(without_sums), exact, before, shape);
    EXPECT_EQ(bad_saved, 0);
    auto spoilt = wide_saved;
    spoilt[0] = NAN;
    const auto narrow_spoilt = cast<Stored>(spoilt);
    call.saved = matrix(narrow_spoilt, shape);
    math_.activation_gradient(*stream_, call);
    EXPECT_EQ(bad_saved, shape.rows * shape.cols > 0 ? 1 : 0);
    call.bad_saved = nullptr;
    call.saved = matrix(saved, shape);

    if constexpr (std::is_same_v<Stored, In>) {  // in place
      auto both = incoming;
      sums = old_sums;
      call.incoming = {};
      call.gradient = matrix(both, shape);
      call.bias_gradient = view_of(sums);
      math_.activation_gradient(*stream_, call);
      expect_rounded(cast<float>(both), exact, cast<float>(incoming), shape);
      expect_sums(sums, cast<float>(both), beta == 0 ? 0 : beta * 0.25, shape);
    }
  }

  /// Expects sums of the rounded values.
  void expect_sums(const std::vector<float>& sums, const std::vector<float>& values, double old, const Shape& shape) {
    for (std::int64_t j = 0; j < shape.cols; ++j) {
      double sum = old;
      double magnitude = old;
      for (std::int64_t i = 0; i < shape.rows; ++i) {
        const double value = values[static_cast<std::size_t>(i * shape.ld + j)];
        sum += value;
        magnitude += std::abs(value);
      }
      ASSERT_NEAR(sums[static_cast<std::size_t>(j)], sum, 1e-6 * magnitude) << "column " << j;
    }
  }
};

TEST_F(ActivationTypesTest, EveryPairOfTypesIsRoundedOnce) {
  for (const Shape& shape : kShapes) {
    for (const Activation activation : kActivations) {
      SCOPED_TRACE(::testing::Message() << shape.rows << " x " << shape.cols << ", activation "
                                        << static_cast<int>(activation));
      check_activation<float, float>(shape, activation);
      check_activation<float, BFloat16>(shape, activation);
      check_activation<BFloat16, BFloat16>(shape, activation);
    }
  }
}

TEST_F(ActivationTypesTest, GradientsInEveryPairOfTypesAreRoundedOnce) {
  for (const Shape& shape : kShapes) {
    for (const Activation activation : kActivations) {
      for (const float beta : {0.0F, 1.0F}) {
        SCOPED_TRACE(::testing::Message() << shape.rows << " x " << shape.cols << ", activation "
                                          << static_cast<int>(activation) << ", beta " << beta);
        check_gradient<float, float>(shape, activation, beta);
        check_gradient<BFloat16, float>(shape, activation, beta);
        check_gradient<BFloat16, BFloat16>(shape, activation, beta);
      }
    }
  }
}

TEST_F(ActivationTypesTest, OtherTypesAreRefused) {
  std::vector<float> x(4), bias(2);
  std::vector<BFloat16> y(4);
  EXPECT_THROW(math_.bias_activation(*stream_, {.in = matrix_of(y, 2, 2), .out = matrix_of(x, 2, 2)}), Error);
  EXPECT_THROW(
      math_.bias_activation(*stream_, {.in = matrix_of(x, 2, 2), .bias = view_of(bias), .out = matrix_of(y, 2, 2)}),
      Error);
  EXPECT_THROW(
      math_.activation_gradient(
          *stream_, {.saved = matrix_of(x, 2, 2), .gradient = matrix_of(y, 2, 2), .activation = Activation::relu}),
      Error);
  EXPECT_THROW(
      math_.activation_gradient(
          *stream_, {.saved = matrix_of(x, 2, 2), .incoming = matrix_of(y, 2, 2), .gradient = matrix_of(x, 2, 2)}),
      Error);
}

}  // namespace
}  // namespace recombine
