#include <cmath>
#include <cstdlib>
#include <string>
#include <tuple>
#include <utility>

#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::matrix_of;
using test::view_of;

/// Products on an emulated GPU. The tests set how long each algorithm of its cuBLASLt takes.
class ChosenProductTest : public test::MathTest {
 protected:
  void SetUp() override {
    if (device_->description().rfind("CPU as", 0) != 0) GTEST_SKIP() << "needs an emulated GPU";
  }
  void TearDown() override { unsetenv(kDelays); }

  /// Sets the extra milliseconds of each algorithm, in the order of the heuristic.
  static void delay(const std::string& milliseconds) { setenv(kDelays, milliseconds.c_str(), 1); }

  static constexpr const char* kDelays = "RECOMBINE_EMULATED_PRODUCT_MS";
};

/// [1e8, -1e8, 1] [1, 1, 1]^T in f32: 1 in this order, 0 backwards. Only the second algorithm sums backwards.
TEST_F(ChosenProductTest, TheFastestAlgorithmIsChosen) {
  const std::vector<float> a = {1e8F, -1e8F, 1};
  const std::vector<float> b = {1, 1, 1};
  for (const auto& [delays, expected] : {std::pair{"0,4,4", 1.0F}, {"4,0,4", 0.0F}, {"4,4,0", 1.0F}}) {
    delay(delays);
    const auto device = make_device({.kind = DeviceKind::cuda});
    test::StagedMath math(*device);
    const auto stream = device->make_stream(StreamUse::compute);
    std::vector<float> c = {7};
    math.gemm(*stream, {.a = matrix_of(a, 1, 3), .b = matrix_of(b, 3, 1), .c = matrix_of(c, 1, 1)});
    EXPECT_EQ(c[0], expected) << delays;
  }
}

TEST_F(ChosenProductTest, MeasuringLeavesOperandsAndResultAlone) {
  delay("1,0,1");
  const std::vector<float> a = {1, 2, 3, 4, 5, 6};
  const std::vector<float> b = {1, -1, 2, 0, 1, 3};
  const std::vector<float> bias = {10, 20};
  std::vector<float> c = {100, 200, 300, 400};
  for (int call = 0; call < 2; ++call) {
    math_.gemm(*stream_, {.a = matrix_of(a, 2, 3),
                          .b = matrix_of(b, 3, 2),
                          .c = matrix_of(c, 2, 2),
                          .alpha = 2,
                          .beta = 1,
                          .bias = view_of(bias)});
  }
  EXPECT_EQ(c, (std::vector<float>{152, 272, 400, 496}));
}

/// The emulated library's first algorithm turns NaN into 0 if C has 4 i + 1 columns; the others keep it.
TEST_F(ChosenProductTest, AnAlgorithmWhoseReluLosesNaNIsNotChosen) {
  delay("0,4");
  const std::vector<float> a = {NAN, 1};
  const std::vector<float> b(5, 1);
  std::vector<float> c(10);
  math_.gemm(
      *stream_,
      {.a = matrix_of(a, 2, 1), .b = matrix_of(b, 1, 5), .c = matrix_of(c, 2, 5), .activation = Activation::relu});
  for (std::size_t i = 0; i < c.size(); ++i) EXPECT_TRUE(i < 5 ? std::isnan(c[i]) : c[i] == 1) << i;
}

/// In tf32 the emulated library is slow if neither operand is stored along k, so a copy of B is multiplied.
TEST_F(ChosenProductTest, ATransposedCopyOfBGivesTheSameProduct) {
  delay("0,0,0");
  const auto device = make_device({.kind = DeviceKind::cuda, .f32_products = F32Products::tf32});
  test::StagedMath math(*device);
  const auto stream = device->make_stream(StreamUse::compute);
  for (const auto& [m, n, k] : {std::tuple{35, 66, 70}, {3, 1, 2}, {130, 33, 31}}) {
    // Integers whose products and sums are exact.
    std::vector<float> a(static_cast<std::size_t>(m * k));
    std::vector<float> b(static_cast<std::size_t>(k * n));
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 7) - 3;
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i % 11) - 5;
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        std::vector<float> c(static_cast<std::size_t>(m * n), 1);
        math.gemm(*stream, {.a = ta ? matrix_of(a, k, m) : matrix_of(a, m, k),
                            .trans_a = ta ? Transpose::yes : Transpose::no,
                            .b = tb ? matrix_of(b, n, k) : matrix_of(b, k, n),
                            .trans_b = tb ? Transpose::yes : Transpose::no,
                            .c = matrix_of(c, m, n),
                            .beta = 3});
        for (int i = 0; i < m; ++i) {
          for (int j = 0; j < n; ++j) {
            float sum = 3;
            for (int l = 0; l < k; ++l) {
              sum += a[static_cast<std::size_t>(ta ? l * m + i : i * k + l)] *
                     b[static_cast<std::size_t>(tb ? j * k + l : l * n + j)];
            }
            ASSERT_EQ(c[static_cast<std::size_t>(i * n + j)], sum) << i << " " << j << " " << ta << tb;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace recombine
