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

struct GemmCase {
  std::int64_t m, n, k;
  Transpose trans_a = Transpose::no;
  Transpose trans_b = Transpose::no;
  float beta = 0;
  bool has_bias = false;
  Activation activation = Activation::identity;
  std::int64_t spare_columns = 0;  ///< ld - cols of every matrix
  float alpha = 1;
};

class GemmTest : public test::MathTest {
 protected:
  void check(const GemmCase& c) {
    SCOPED_TRACE(::testing::Message() << "m " << c.m << " n " << c.n << " k " << c.k << " trans "
                                      << (c.trans_a == Transpose::yes) << (c.trans_b == Transpose::yes) << " beta "
                                      << c.beta << " bias " << c.has_bias << " activation "
                                      << static_cast<int>(c.activation) << " spare " << c.spare_columns);
    const bool ta = c.trans_a == Transpose::yes;
    const bool tb = c.trans_b == Transpose::yes;
    const std::int64_t lda = (ta ? c.m : c.k) + c.spare_columns;
    const std::int64_t ldb = (tb ? c.k : c.n) + c.spare_columns;
    const std::int64_t ldc = c.n + c.spare_columns;
    const auto a = random_values((ta ? c.k : c.m) * lda + 1, 1);
    const auto b = random_values((tb ? c.n : c.k) * ldb + 1, 2);
    const auto bias = random_values(c.n, 3);
    // With beta = 0, C may hold anything, even NaN.
    auto result = c.beta == 0 ? std::vector<float>(static_cast<std::size_t>(c.m * ldc + 1), NAN)
                              : random_values(c.m * ldc + 1, 4);
    const auto before = result;
    const auto view = [](auto& v, std::int64_t rows, std::int64_t cols, std::int64_t ld) {
      auto m = as_matrix(view_of(v), rows, cols);
      m.ld = ld;
      return m;
    };
    math_.gemm(*stream_, {.a = view(a, ta ? c.k : c.m, ta ? c.m : c.k, lda),
                          .trans_a = c.trans_a,
                          .b = view(b, tb ? c.n : c.k, tb ? c.k : c.n, ldb),
                          .trans_b = c.trans_b,
                          .c = view(result, c.m, c.n, ldc),
                          .alpha = c.alpha,
                          .beta = c.beta,
                          .bias = c.has_bias ? view_of(bias) : ConstVectorView{},
                          .activation = c.activation});
    for (std::int64_t i = 0; i < c.m; ++i) {
      for (std::int64_t j = 0; j < ldc; ++j) {
        const auto at = static_cast<std::size_t>(i * ldc + j);
        if (j >= c.n) {  // the spare columns stay as they were
          ASSERT_TRUE(std::isnan(before[at]) ? std::isnan(result[at]) : result[at] == before[at]);
          continue;
        }
        double sum = 0;
        for (std::int64_t l = 0; l < c.k; ++l) {
          sum += static_cast<double>(a[static_cast<std::size_t>(ta ? l * lda + i : i * lda + l)]) *
                 b[static_cast<std::size_t>(tb ? j * ldb + l : l * ldb + j)];
        }
        sum = c.alpha * sum + (c.beta == 0 ? 0 : static_cast<double>(c.beta) * before[at]);
        if (c.has_bias) sum += bias[static_cast<std::size_t>(j)];
        ASSERT_NEAR(result[at], activated(c.activation, sum), 2e-5 * (1 + std::sqrt(static_cast<double>(c.k))));
      }
    }
  }
};

TEST_F(GemmTest, OddSizesAndTransposesAgreeWithAPlainLoop) {
  for (const std::int64_t m : {0, 1, 3, 64, 65}) {
    for (const std::int64_t n : {0, 1, 7, 65}) {
      for (const std::int64_t k : {0, 1, 2, 65}) {
        for (const Transpose ta : {Transpose::no, Transpose::yes}) {
          for (const Transpose tb : {Transpose::no, Transpose::yes}) {
            check({.m = m, .n = n, .k = k, .trans_a = ta, .trans_b = tb});
            check({.m = m,
                   .n = n,
                   .k = k,
                   .trans_a = ta,
                   .trans_b = tb,
                   .beta = 0.5F,
                   .has_bias = true,
                   .activation = Activation::relu,
                   .spare_columns = 3});
          }
        }
      }
    }
  }
}

TEST_F(GemmTest, EveryCombinationOfEpiloguesAgreesWithAPlainLoop) {
  for (const Activation activation :
       {Activation::identity, Activation::relu, Activation::gelu, Activation::tanh, Activation::sigmoid}) {
    for (const bool has_bias : {false, true}) {
      for (const float beta : {0.0F, 1.0F, -0.5F}) {
        for (const std::int64_t k : {0, 33}) {
          for (const float alpha : {0.0F, 1.0F, -0.5F}) {
            check({.m = 17,
                   .n = 13,
                   .k = k,
                   .beta = beta,
                   .has_bias = has_bias,
                   .activation = activation,
                   .alpha = alpha});
          }
        }
      }
    }
  }
}

TEST_F(GemmTest, OperandsThatDoNotFitAreRefused) {
  std::vector<float> x(100);
  EXPECT_THROW(
      device_->math().gemm(*stream_, {.a = matrix_of(x, 2, 3), .b = matrix_of(x, 4, 5), .c = matrix_of(x, 2, 5)}),
      Error);
  std::vector<double> y(100);
  std::vector<BFloat16> z(100);
  const auto refused = [&](MatrixView a, MatrixView b, MatrixView c, ConstVectorView bias = {}) {
    EXPECT_THROW(device_->math().gemm(*stream_, {.a = a, .b = b, .c = c, .bias = bias}), Error);
  };
  refused(matrix_of(x, 2, 2), matrix_of(y, 2, 2), matrix_of(y, 2, 2));
  refused(matrix_of(y, 2, 2), matrix_of(y, 2, 2), matrix_of(x, 2, 2));
  refused(matrix_of(z, 2, 2), matrix_of(z, 2, 2), matrix_of(y, 2, 2));
  refused(matrix_of(z, 2, 2), matrix_of(z, 2, 2), matrix_of(z, 2, 2), view_of(x).range(0, 2));
  refused(matrix_of(z, 2, 2), matrix_of(z, 2, 2), matrix_of(x, 2, 2), view_of(z).range(0, 2));
  refused(matrix_of(y, 2, 2), matrix_of(y, 2, 2), matrix_of(y, 2, 2), view_of(y).range(0, 2));
  if (device_->kind() == DeviceKind::cuda) return;
  MatrixView far_apart = matrix_of(y, 2, 2);
  far_apart.ld = std::int64_t{1} << 31;  // CBLAS counts in 32 bits
  refused(far_apart, matrix_of(y, 2, 2), matrix_of(y, 2, 2));
}

}  // namespace
}  // namespace recombine
