#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/gemm_shape.hpp"
#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

template <class T>
T number(std::int64_t value) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return {static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 16)};
  } else {
    return static_cast<T>(value);
  }
}

/// Element (i, j) of an operand or of C: a small whole number, so all sums are exact in every type and order.
std::int64_t value_of(std::int64_t i, std::int64_t j, std::int64_t matrix) {
  return (i * 7 + j * 3 + i * j % 5 + matrix) % 9 - 4;
}

/// A matrix in which element (i, j) of op() is value_of(i, j). Rows are `ld` elements apart, and NaN fills the gaps.
template <class T>
std::vector<T> stored(std::int64_t rows, std::int64_t cols, std::int64_t ld, Transpose transpose, std::int64_t matrix) {
  std::vector<T> x(static_cast<std::size_t>(rows * ld));
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < ld; ++j) {
      const std::int64_t value = transpose == Transpose::yes ? value_of(j, i, matrix) : value_of(i, j, matrix);
      T& at = x[static_cast<std::size_t>(i * ld + j)];
      if constexpr (std::is_same_v<T, BFloat16>) {
        at = j < cols ? number<T>(value) : BFloat16{0x7fc0};
      } else {
        at = j < cols ? number<T>(value) : std::numeric_limits<T>::quiet_NaN();
      }
    }
  }
  return x;
}

/// How operands are stored: the distance between rows is a multiple of this number of elements.
enum class Rows : std::int64_t { packed = 1, of_16_bytes = 8 };

/// The kernels to learn from, which run on a GPU only.
class TaughtKernelsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test::device_kind() == DeviceKind::cpu) GTEST_SKIP() << "these kernels run on a GPU only";
  }

  void use(ProductKernel kernel) {
    notes_.clear();
    device_ = make_device({.kind = DeviceKind::cuda,
                           .progress = Progress::synchronous,
                           .kernel = kernel,
                           .note = [this](const std::string& note) { notes_.push_back(note); }});
    stream_ = device_->make_stream(StreamUse::compute);
  }

  template <class T, class Sum>
  void check(const GemmShape& shape, Transpose trans_a, Transpose trans_b, double beta, Rows rows) {
    const auto [m, n, k] = shape;
    const bool ta = trans_a == Transpose::yes;
    const bool tb = trans_b == Transpose::yes;
    SCOPED_TRACE(::testing::Message() << name_of(data_type_of<T>) << " " << m << " " << n << " " << k << " trans " << ta
                                      << tb << " beta " << beta);
    const auto ld = [&](std::int64_t cols) {
      const auto multiple = static_cast<std::int64_t>(rows);
      return (cols + multiple - 1) / multiple * multiple;
    };
    const std::int64_t a_rows = ta ? k : m, a_cols = ta ? m : k, b_rows = tb ? n : k, b_cols = tb ? k : n;
    const auto a = stored<T>(a_rows, a_cols, ld(a_cols), trans_a, 1);
    const auto b = stored<T>(b_rows, b_cols, ld(b_cols), trans_b, 2);
    const std::int64_t ldc = n + 1;
    auto c = stored<Sum>(m, beta == 0 ? 0 : n, ldc, Transpose::no, 3);
    test::StagedMath math(*device_);
    math.gemm(*stream_, {.a = test::matrix_of(a, a_rows, ld(a_cols)).block(0, 0, a_rows, a_cols),
                         .trans_a = trans_a,
                         .b = test::matrix_of(b, b_rows, ld(b_cols)).block(0, 0, b_rows, b_cols),
                         .trans_b = trans_b,
                         .c = test::matrix_of(c, m, ldc).block(0, 0, m, n),
                         .alpha = -0.5,
                         .beta = beta});
    for (std::int64_t i = 0; i < m; ++i) {
      ASSERT_TRUE(std::isnan(c[static_cast<std::size_t>(i * ldc + n)])) << i;
      for (std::int64_t j = 0; j < n; ++j) {
        std::int64_t sum = 0;
        for (std::int64_t l = 0; l < k; ++l) sum += value_of(i, l, 1) * value_of(l, j, 2);
        const double expected = -0.5 * static_cast<double>(sum) + beta * static_cast<double>(value_of(i, j, 3));
        ASSERT_EQ(c[static_cast<std::size_t>(i * ldc + j)], expected) << i << " " << j;
      }
    }
  }

  template <class T, class Sum>
  void check_all(const std::vector<GemmShape>& shapes, Rows rows = Rows::packed) {
    for (const GemmShape& shape : shapes) {
      for (const Transpose ta : {Transpose::no, Transpose::yes}) {
        check<T, Sum>(shape, ta, Transpose::no, 0, rows);
        check<T, Sum>(shape, ta, Transpose::yes, 2, rows);
      }
    }
  }

  std::vector<std::string> notes_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
};

const std::vector<GemmShape> kShapes = {{1, 1, 1}, {129, 131, 19}, {3, 130, 8}, {130, 5, 41}};

TEST_F(TaughtKernelsTest, Naive) {
  use(ProductKernel::naive);
  check_all<float, float>(kShapes);
  check_all<double, double>(kShapes);
  check_all<BFloat16, float>(kShapes);
}

TEST_F(TaughtKernelsTest, Tiled) {
  use(ProductKernel::tiled);
  check_all<float, float>(kShapes);
  check_all<double, double>(kShapes);
  check_all<BFloat16, float>(kShapes);
}

TEST_F(TaughtKernelsTest, Tensor) {
  use(ProductKernel::tensor);
  check_all<BFloat16, float>(kShapes);
}

TEST_F(TaughtKernelsTest, HopperFallsBackToTensorAndSaysSoOnce) {
  use(ProductKernel::hopper);
  check<BFloat16, float>({4, 5, 19}, Transpose::no, Transpose::no, 0, Rows::packed);
  check<BFloat16, float>({4, 5, 19}, Transpose::no, Transpose::no, 0, Rows::packed);
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_NE(notes_[0].find("tensor multiplies instead"), std::string::npos) << notes_[0];
}

/// Skipped unless the kernel hopper itself multiplies, so a test that passes has tested it.
class HopperTest : public TaughtKernelsTest {
 protected:
  void SetUp() override {
    TaughtKernelsTest::SetUp();
    if (IsSkipped()) return;
    use(ProductKernel::hopper);
    check<BFloat16, float>({1, 1, 1}, Transpose::no, Transpose::no, 0, Rows::of_16_bytes);
    if (!notes_.empty()) GTEST_SKIP() << notes_[0];
  }

  void TearDown() override { EXPECT_TRUE(IsSkipped() || notes_.empty()); }
};

TEST_F(HopperTest, SizesAroundItsTiles) {
  check_all<BFloat16, float>({{1, 1, 1}, {128, 128, 64}, {129, 257, 65}, {127, 255, 63}, {3, 300, 130}, {300, 3, 130}},
                             Rows::of_16_bytes);
}

TEST_F(HopperTest, MoreStepsThanStages) { check_all<BFloat16, float>({{130, 260, 1000}}, Rows::of_16_bytes); }

// An H200 has 132 multiprocessors.
TEST_F(HopperTest, MoreTilesThanMultiprocessors) {
  check_all<BFloat16, float>({{1300, 1300, 7}, {2300, 2600, 7}, {4097, 1020, 400}}, Rows::of_16_bytes);
}

}  // namespace
}  // namespace recombine
