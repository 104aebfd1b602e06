#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/cpu/cpu_gemm.hpp"
#include "kernels/cpu/gemm_cblas.hpp"
#include "kernels/error.hpp"
#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::matrix_of;
using test::random_values;
using test::view_of;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// Compares products in every type with a plain loop in long double.
class GemmTypesTest : public test::MathTest {
 protected:
  template <class T>
  std::vector<T> narrowed(const std::vector<float>& x) {
    std::vector<T> typed(x.size());
    const auto size = static_cast<std::int64_t>(x.size());
    math_.cast(*stream_, matrix_of(x, 1, size), matrix_of(typed, 1, size));
    return typed;
  }

  template <class T>
  std::vector<T> values(std::int64_t size, std::uint64_t tensor) {
    return narrowed<T>(random_values(size, tensor));
  }

  template <class T>
  std::vector<double> widened(const std::vector<T>& x) {
    std::vector<double> wide(x.size());
    const auto size = static_cast<std::int64_t>(x.size());
    math_.cast(*stream_, matrix_of(x, 1, size), matrix_of(wide, 1, size));
    return wide;
  }

  /// The operands are of type T, sums of type Sum, and the result of type Out.
  template <class T, class Sum, class Out = Sum>
  void check(const GemmShape& shape, Transpose trans_a, Transpose trans_b, double alpha, double beta,
             std::int64_t spare) {
    const auto [m, n, k] = shape;
    const bool ta = trans_a == Transpose::yes;
    const bool tb = trans_b == Transpose::yes;
    SCOPED_TRACE(::testing::Message() << name_of(data_type_of<T>) << " to " << name_of(data_type_of<Out>) << " " << m
                                      << " " << n << " " << k << " trans " << ta << tb << " alpha " << alpha << " beta "
                                      << beta << " spare " << spare);
    const std::int64_t lda = (ta ? m : k) + spare;
    const std::int64_t ldb = (tb ? k : n) + spare;
    const std::int64_t ldc = n + spare;
    const auto a = values<T>((ta ? k : m) * lda, 1);
    const auto b = values<T>((tb ? n : k) * ldb, 2);
    auto c = beta == 0 ? narrowed<Out>(std::vector<float>(static_cast<std::size_t>(m * ldc), kNaN))
                       : values<Out>(m * ldc, 3);
    const auto before = widened(c);
    math_.gemm(*stream_, {.a = matrix_of(a, ta ? k : m, lda).block(0, 0, ta ? k : m, ta ? m : k),
                          .trans_a = trans_a,
                          .b = matrix_of(b, tb ? n : k, ldb).block(0, 0, tb ? n : k, tb ? k : n),
                          .trans_b = trans_b,
                          .c = matrix_of(c, m, ldc).block(0, 0, m, n),
                          .alpha = alpha,
                          .beta = beta});
    const auto wide_a = widened(a);
    const auto wide_b = widened(b);
    const auto found = widened(c);
    // A result in another type is rounded once more, after the sum.
    const long double rounding = std::is_same_v<Out, Sum> ? 0 : 0x1p-8L;
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < ldc; ++j) {
        const auto at = static_cast<std::size_t>(i * ldc + j);
        if (j >= n) {  // the spare columns stay as they were
          ASSERT_TRUE(std::isnan(before[at]) ? std::isnan(found[at]) : found[at] == before[at]);
          continue;
        }
        long double sum = 0;
        long double magnitude = 0;
        for (std::int64_t l = 0; l < k; ++l) {
          const auto at_a = static_cast<std::size_t>(ta ? l * lda + i : i * lda + l);
          const auto at_b = static_cast<std::size_t>(tb ? j * ldb + l : l * ldb + j);
          const long double term = static_cast<long double>(wide_a[at_a]) * wide_b[at_b];
          sum += term;
          magnitude += std::abs(term);
        }
        const long double old = beta == 0 ? 0 : static_cast<long double>(beta) * before[at];
        // At most k + 3 roundings, each of half an epsilon of the sum of absolute values.
        const long double bound = static_cast<long double>(k + 3) * std::numeric_limits<Sum>::epsilon() / 2 *
                                  (std::abs(alpha) * magnitude + std::abs(old));
        const long double expected = alpha * sum + old;
        ASSERT_LE(std::abs(found[at] - expected), bound + rounding * (std::abs(expected) + bound)) << i << " " << j;
      }
    }
  }

  template <class T, class Sum>
  void check_all() {
    for (const GemmShape& shape : kShapes) {
      for (const Transpose ta : {Transpose::no, Transpose::yes}) {
        for (const Transpose tb : {Transpose::no, Transpose::yes}) {
          for (const double alpha : {0.0, 1.0, -0.5}) {
            for (const double beta : {0.0, 1.0, -0.5}) check<T, Sum>(shape, ta, tb, alpha, beta, shape.m % 2 * 3);
          }
          check<T, Sum>(shape, ta, tb, 1, 0, 5);
        }
      }
    }
  }

  static constexpr GemmShape kShapes[] = {{0, 3, 2},   {3, 0, 2},    {2, 3, 0},    {65, 7, 0},   {1, 1, 1},
                                          {2, 2, 3},   {1, 65, 7},   {65, 1, 64},  {7, 64, 65},  {64, 64, 64},
                                          {3, 7, 257}, {65, 2, 257}, {257, 65, 3}, {2, 257, 65}, {257, 257, 1}};
};

TEST_F(GemmTypesTest, SinglePrecision) { check_all<float, float>(); }
TEST_F(GemmTypesTest, DoublePrecision) { check_all<double, double>(); }
TEST_F(GemmTypesTest, Bf16Operands) { check_all<BFloat16, float>(); }

TEST_F(GemmTypesTest, Bf16Results) {
  for (const GemmShape& shape : kShapes) {
    for (const Transpose ta : {Transpose::no, Transpose::yes}) {
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        for (const double alpha : {0.0, 1.0, -0.5}) {
          check<BFloat16, float, BFloat16>(shape, ta, tb, alpha, 0, shape.m % 2 * 3);
        }
      }
    }
  }
}

TEST_F(GemmTypesTest, Bf16ResultsAreNotAddedTo) {
  const auto a = values<BFloat16>(4, 1);
  auto c = values<BFloat16>(4, 2);
  EXPECT_THROW(
      math_.gemm(*stream_, {.a = matrix_of(a, 2, 2), .b = matrix_of(a, 2, 2), .c = matrix_of(c, 2, 2), .beta = 1}),
      Error);
}

/// The sum with its bias is rounded once. If the activation is not ReLU, a GPU rounds before it, and again after it.
TEST_F(GemmTypesTest, Bf16ResultsWithBiasAndActivation) {
  for (const auto& [m, n, k] : {GemmShape{7, 64, 65}, GemmShape{3, 2050, 1030}, GemmShape{5, 3, 0}}) {
    const auto a = values<BFloat16>(m * k, 1);
    const auto b = values<BFloat16>(n * k, 2);
    const auto bias = values<BFloat16>(n, 3);
    for (const Activation activation : {Activation::identity, Activation::relu, Activation::tanh}) {
      std::vector<float> exact(static_cast<std::size_t>(m * n));
      auto c = narrowed<BFloat16>(std::vector<float>(exact.size(), kNaN));
      Gemm gemm{.a = as_matrix(view_of(a), m, k),
                .b = as_matrix(view_of(b), n, k),
                .trans_b = Transpose::yes,
                .c = matrix_of(exact, m, n)};
      math_.gemm(*stream_, gemm);
      std::vector<float> bias_f32(static_cast<std::size_t>(n));
      math_.cast(*stream_, matrix_of(bias, 1, n), matrix_of(bias_f32, 1, n));
      math_.bias_activation(*stream_, {.in = gemm.c, .bias = view_of(bias_f32), .out = gemm.c});
      const auto before = exact;
      math_.bias_activation(*stream_, {.in = gemm.c, .out = gemm.c, .activation = activation});
      const bool curved = activation == Activation::tanh;
      gemm.c = matrix_of(c, m, n);
      gemm.bias = view_of(bias);
      gemm.activation = activation;
      math_.gemm(*stream_, gemm);
      const auto found = widened(c);
      for (std::size_t i = 0; i < exact.size(); ++i) {
        const double rounded = std::abs(exact[i]) + (curved ? std::abs(before[i]) : 0);
        ASSERT_NEAR(found[i], exact[i], (0x1p-8 + 1e-6) * rounded + 2e-5) << i;
      }
    }
  }
}

TEST_F(GemmTypesTest, Bf16OperandsOfSeveralTiles) {
  for (const GemmShape& shape : {GemmShape{3, 2050, 1030}, GemmShape{2050, 3, 1030}}) {
    for (const Transpose transpose : {Transpose::no, Transpose::yes}) {
      check<BFloat16, float>(shape, transpose, transpose, 1, -0.5, 1);
      check<BFloat16, float>(shape, transpose, transpose, -0.5, 0, 0);
      check<BFloat16, float, BFloat16>(shape, transpose, transpose, 1, 0, 1);
    }
  }
}

TEST_F(GemmTypesTest, Bf16OperandsWithBiasAndActivation) {
  constexpr std::int64_t kRows = 2;
  constexpr std::int64_t kCols = 2050;
  constexpr std::int64_t kDepth = 1030;
  const auto a = values<BFloat16>(kRows * kDepth, 1);
  const auto b = values<BFloat16>(kDepth * kCols, 2);
  const auto bias = random_values(kCols, 3);
  for (const double alpha : {1.0, -0.5}) {
    std::vector<float> plain(kRows * kCols);
    std::vector<float> fused(plain.size(), NAN);
    Gemm gemm{.a = matrix_of(a, kRows, kDepth),
              .b = matrix_of(b, kDepth, kCols),
              .c = matrix_of(plain, kRows, kCols),
              .alpha = alpha};
    math_.gemm(*stream_, gemm);
    math_.bias_activation(*stream_,
                          {.in = gemm.c, .bias = view_of(bias), .out = gemm.c, .activation = Activation::relu});
    gemm.c = matrix_of(fused, kRows, kCols);
    gemm.bias = view_of(bias);
    gemm.activation = Activation::relu;
    math_.gemm(*stream_, gemm);
    for (std::size_t i = 0; i < plain.size(); ++i) ASSERT_NEAR(fused[i], plain[i], 1e-4) << i;
  }
}

TEST_F(GemmTypesTest, BothLibrariesAgreeOnSinglePrecision) {
  cpu::GemmOneDnn onednn;
  for (const GemmShape& shape : {GemmShape{256, 512, 300}, GemmShape{48, 1024, 64}, GemmShape{512, 100, 129}}) {
    const auto [m, n, k] = shape;
    const auto a = random_values(m * k, 1);
    const auto b = random_values(k * n, 2);
    for (const Transpose ta : {Transpose::no, Transpose::yes}) {
      auto one = random_values(m * n, 3);
      auto other = one;
      auto packed = one;
      Gemm gemm{.a = ta == Transpose::yes ? matrix_of(a, k, m) : matrix_of(a, m, k),
                .trans_a = ta,
                .b = matrix_of(b, k, n),
                .c = matrix_of(one, m, n),
                .beta = 1};
      onednn.execute(gemm);
      gemm.c = matrix_of(other, m, n);
      cpu::gemm_cblas(gemm, shape);
      gemm.c = matrix_of(packed, m, n);
      cpu::sgemm_onednn(gemm, shape);
      for (std::size_t i = 0; i < one.size(); ++i) {
        ASSERT_NEAR(one[i], other[i], 1e-4) << i;
        ASSERT_NEAR(packed[i], other[i], 1e-4) << i;
      }
    }
  }
}

}  // namespace
}  // namespace recombine
