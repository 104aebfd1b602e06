#include <cmath>
#include <limits>

#include "kernels/cpu/cpu_gemm.hpp"
#include "kernels/cpu/gemm_cblas.hpp"
#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::matrix_of;
using test::random_values;
using test::view_of;

/// Compares products in every type with a plain loop in long double.
class GemmTypesTest : public test::MathTest {
 protected:
  template <class T>
  std::vector<T> values(std::int64_t size, std::uint64_t tensor) {
    const auto x = random_values(size, tensor);
    std::vector<T> typed(x.size());
    math_.cast(*stream_, matrix_of(x, 1, size), matrix_of(typed, 1, size));
    return typed;
  }

  template <class T>
  std::vector<double> widened(const std::vector<T>& x) {
    std::vector<double> wide(x.size());
    const auto size = static_cast<std::int64_t>(x.size());
    math_.cast(*stream_, matrix_of(x, 1, size), matrix_of(wide, 1, size));
    return wide;
  }

  /// The operands are of type T, the result is of type Sum.
  template <class T, class Sum>
  void check(const GemmShape& shape, Transpose trans_a, Transpose trans_b, double alpha, double beta,
             std::int64_t spare) {
    const auto [m, n, k] = shape;
    const bool ta = trans_a == Transpose::yes;
    const bool tb = trans_b == Transpose::yes;
    SCOPED_TRACE(::testing::Message() << name_of(data_type_of<T>) << " " << m << " " << n << " " << k << " trans " << ta
                                      << tb << " alpha " << alpha << " beta " << beta << " spare " << spare);
    const std::int64_t lda = (ta ? m : k) + spare;
    const std::int64_t ldb = (tb ? k : n) + spare;
    const std::int64_t ldc = n + spare;
    const auto a = values<T>((ta ? k : m) * lda, 1);
    const auto b = values<T>((tb ? n : k) * ldb, 2);
    auto c = values<Sum>(m * ldc, 3);
    if (beta == 0) std::fill(c.begin(), c.end(), std::numeric_limits<Sum>::quiet_NaN());
    const auto before = c;
    math_.gemm(*stream_, {.a = matrix_of(a, ta ? k : m, lda).block(0, 0, ta ? k : m, ta ? m : k),
                          .trans_a = trans_a,
                          .b = matrix_of(b, tb ? n : k, ldb).block(0, 0, tb ? n : k, tb ? k : n),
                          .trans_b = trans_b,
                          .c = matrix_of(c, m, ldc).block(0, 0, m, n),
                          .alpha = alpha,
                          .beta = beta});
    const auto wide_a = widened(a);
    const auto wide_b = widened(b);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < ldc; ++j) {
        const auto at = static_cast<std::size_t>(i * ldc + j);
        if (j >= n) {  // the spare columns stay as they were
          ASSERT_TRUE(std::isnan(before[at]) ? std::isnan(c[at]) : c[at] == before[at]);
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
        ASSERT_LE(std::abs(c[at] - (alpha * sum + old)), bound) << i << " " << j;
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

TEST_F(GemmTypesTest, Bf16OperandsOfSeveralTiles) {
  for (const GemmShape& shape : {GemmShape{3, 2050, 1030}, GemmShape{2050, 3, 1030}}) {
    for (const Transpose transpose : {Transpose::no, Transpose::yes}) {
      check<BFloat16, float>(shape, transpose, transpose, 1, -0.5, 1);
      check<BFloat16, float>(shape, transpose, transpose, -0.5, 0, 0);
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

/// The library that is chosen for op(A) [m,k] op(B) [k,n], if the operands have no spare columns.
cpu::GemmLibrary library(const GemmShape& shape, Transpose ta, Transpose tb, double alpha = 1,
                         cpu::VectorWidth width = cpu::VectorWidth::bits_256_or_less) {
  const auto [m, n, k] = shape;
  const auto stored = [](std::int64_t rows, std::int64_t cols, Transpose transpose) {
    return transpose == Transpose::yes ? MatrixView{nullptr, cols, rows, rows} : MatrixView{nullptr, rows, cols, cols};
  };
  return cpu::f32_library({.a = stored(m, k, ta),
                           .trans_a = ta,
                           .b = stored(k, n, tb),
                           .trans_b = tb,
                           .c = stored(m, n, Transpose::no),
                           .alpha = alpha},
                          shape, width);
}

constexpr auto kMatmul = cpu::GemmLibrary::onednn_matmul;
constexpr auto kSgemm = cpu::GemmLibrary::onednn_sgemm;
constexpr auto kCblas = cpu::GemmLibrary::cblas;
constexpr auto kNo = Transpose::no;
constexpr auto kYes = Transpose::yes;

TEST(F32LibraryTest, CblasRunsProductsThatOneDnnWouldReadUnpackedWithAHarmfulStride) {
  EXPECT_EQ(library({256, 1024, 1024}, kNo, kNo), kCblas);
  EXPECT_EQ(library({256, 1024, 1024}, kYes, kNo), kCblas);
  EXPECT_EQ(library({1024, 256, 1024}, kYes, kYes), kCblas);
  EXPECT_EQ(library({512, 512, 4096}, kYes, kNo), kCblas);
  EXPECT_EQ(library({256, 1024, 1024}, kNo, kYes), kMatmul);  // both are read along their rows
  EXPECT_EQ(library({256, 784, 1024}, kNo, kNo), kMatmul);    // harmless stride
  EXPECT_EQ(library({1024, 1024, 1024}, kNo, kNo), kMatmul);  // oneDNN packs
  EXPECT_EQ(library({384, 384, 768}, kYes, kNo), kCblas);     // read down the columns of A: stride 1.5 KiB
  EXPECT_EQ(library({384, 384, 768}, kNo, kNo), kMatmul);
  EXPECT_EQ(library({32, 1024, 768}, kNo, kNo), kCblas);
  EXPECT_EQ(library({31, 1024, 1024}, kNo, kNo), kMatmul);  // too small
  EXPECT_EQ(library({256, 1024, 31}, kNo, kNo), kMatmul);
  EXPECT_EQ(library({384, 63, 768}, kYes, kNo), kMatmul);
  EXPECT_EQ(library({3, 3, 3}, kNo, kNo, 2), kCblas);                          // scaled
  EXPECT_EQ(library({256, 1024, std::int64_t{1} << 31}, kYes, kNo), kMatmul);  // CBLAS counts in 32 bits
}

TEST(F32LibraryTest, WithAvx512LargeProductsArePacked) {
  const auto wide = [](const GemmShape& shape, Transpose ta, Transpose tb, double alpha = 1) {
    return library(shape, ta, tb, alpha, cpu::VectorWidth::bits_512);
  };
  EXPECT_EQ(wide({4096, 4096, 4096}, kYes, kNo), kSgemm);
  EXPECT_EQ(wide({1024, 1024, 256}, kNo, kNo), kSgemm);
  EXPECT_EQ(wide({512, 512, 32768}, kYes, kNo), kSgemm);
  EXPECT_EQ(wide({32, 512, 4096}, kYes, kNo), kSgemm);
  EXPECT_EQ(wide({1024, 1, 1024}, kNo, kYes), kSgemm);
  EXPECT_EQ(wide({32, 512, 4096}, kNo, kNo), kMatmul);
  EXPECT_EQ(wide({4096, 4096, 4096}, kNo, kYes), kMatmul);  // both are read along their rows
  EXPECT_EQ(wide({256, 1024, 1024}, kNo, kNo), kMatmul);
  EXPECT_EQ(wide({1024, 1024, 10}, kNo, kNo), kMatmul);
  EXPECT_EQ(wide({4096, 4096, 4096}, kYes, kNo, 2), kCblas);  // scaled
}

TEST(F32LibraryTest, WithAvx512TheEpilogueOfOneRowOrColumnIsASeparatePass) {
  const auto fuses = [](std::int64_t m, std::int64_t n, cpu::VectorWidth width, DataType type = DataType::f32) {
    const Gemm gemm = {.a = {nullptr, m, 1024, 1024, type}, .activation = Activation::tanh};
    return cpu::fuses_epilogue(gemm, {m, n, 1024}, width);
  };
  EXPECT_FALSE(fuses(512, 1, cpu::VectorWidth::bits_512));
  EXPECT_FALSE(fuses(1, 512, cpu::VectorWidth::bits_512));
  EXPECT_TRUE(fuses(512, 2, cpu::VectorWidth::bits_512));
  EXPECT_TRUE(fuses(512, 1, cpu::VectorWidth::bits_512, DataType::bf16));
  EXPECT_TRUE(fuses(512, 1, cpu::VectorWidth::bits_256_or_less));
}

}  // namespace
}  // namespace recombine
