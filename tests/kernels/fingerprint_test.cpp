#include <bit>
#include <cmath>
#include <numeric>

#include "kernels/element_hash.hpp"
#include "kernels/error.hpp"
#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::matrix_of;
using test::random_values;
using test::view_of;

constexpr std::int64_t kRows = 37;
constexpr std::int64_t kCols = 301;

class FingerprintTest : public test::MathTest {
 protected:
  std::int64_t whole(ConstMatrixView x, std::uint64_t tensor = 3) {
    std::int64_t sum = 0;
    math_.fingerprint(*stream_, {.block = x, .tensor = tensor, .global_cols = x.cols, .sum = &sum});
    return sum;
  }

  /// The sum of the blocks' fingerprints. `rows` and `cols` are the bounds of the blocks.
  std::int64_t in_blocks(ConstMatrixView x, const std::vector<std::int64_t>& rows,
                         const std::vector<std::int64_t>& cols) {
    std::int64_t sum = 0;
    for (std::size_t r = 0; r + 1 < rows.size(); ++r) {
      for (std::size_t c = 0; c + 1 < cols.size(); ++c) {
        math_.fingerprint(*stream_, {.block = x.block(rows[r], cols[c], rows[r + 1] - rows[r], cols[c + 1] - cols[c]),
                                     .tensor = 3,
                                     .first_row = rows[r],
                                     .first_col = cols[c],
                                     .global_cols = x.cols,
                                     .sum = &sum});
      }
    }
    return sum;
  }

  template <class T>
  std::vector<T> values() {
    std::vector<T> typed(x_.size());
    math_.cast(*stream_, matrix_of(x_, kRows, kCols), matrix_of(typed, kRows, kCols));
    return typed;
  }

  template <class T, class Bits>
  void check_definition() {
    const auto x = values<T>();
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < x.size(); ++i) expected += element_hash(mix64(3), i, std::bit_cast<Bits>(x[i]));
    EXPECT_EQ(static_cast<std::uint64_t>(whole(matrix_of(x, kRows, kCols))), expected);
    EXPECT_EQ(static_cast<std::uint64_t>(in_blocks(matrix_of(x, kRows, kCols), {0, 5, kRows}, {0, 7, 64, kCols})),
              expected);
  }

  std::vector<float> x_ = random_values(kRows * kCols, 1);
};

TEST_F(FingerprintTest, IsTheSumOfItsElementsHashes) {
  check_definition<float, std::uint32_t>();
  check_definition<double, std::uint64_t>();
  check_definition<BFloat16, std::uint16_t>();
}

TEST_F(FingerprintTest, DoesNotDependOnHowTheTensorIsCut) {
  const auto x = matrix_of(std::as_const(x_), kRows, kCols);
  const std::int64_t expected = whole(x);
  EXPECT_EQ(in_blocks(x, {0, 1, 1, 20, kRows}, {0, kCols}), expected);
  EXPECT_EQ(in_blocks(x, {0, kRows}, {0, 1, 150, 150, kCols}), expected);
  EXPECT_EQ(in_blocks(x, {0, 12, 13, kRows}, {0, 100, 200, kCols}), expected);
  std::vector<std::int64_t> every(kCols + 1);
  std::iota(every.begin(), every.end(), 0);
  EXPECT_EQ(in_blocks(x, {0, 2, kRows}, every), expected);
}

TEST_F(FingerprintTest, DoesNotDependOnWhereAFlatRangeIsCut) {
  constexpr std::int64_t kSize = 70'001;  // several pieces for the threads
  const auto x = random_values(kSize, 2);
  EXPECT_EQ(in_blocks(matrix_of(x, 1, kSize), {0, 1}, {0, 77, 65536, kSize}), whole(matrix_of(x, 1, kSize)));
}

TEST_F(FingerprintTest, EveryChangeOfAnElementChangesIt) {
  auto values = random_values(35, 3);
  const auto x = matrix_of(std::as_const(values), 5, 7);
  const std::int64_t expected = whole(x);
  for (const std::size_t at : {0, 7, 34}) {
    const float before = values[at];
    for (int bit = 0; bit < 32; ++bit) {
      values[at] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(before) ^ (1U << bit));
      EXPECT_NE(whole(x), expected) << "bit " << bit << " of element " << at;
    }
    values[at] = before;
  }
  std::swap(values[4], values[4 + 7]);
  EXPECT_NE(whole(x), expected);
  std::swap(values[4], values[4 + 7]);
  EXPECT_EQ(whole(x), expected);
  values[9] = 0.0F;
  const std::int64_t positive = whole(x);
  values[9] = -0.0F;
  EXPECT_NE(whole(x), positive);
}

TEST_F(FingerprintTest, DependsOnTheTensorAndTheShape) {
  EXPECT_NE(whole(matrix_of(x_, kRows, kCols), 3), whole(matrix_of(x_, kRows, kCols), 4));
  const std::vector<float> zeros(12);
  EXPECT_NE(whole(matrix_of(zeros, 3, 4)), whole(matrix_of(zeros, 2, 4)));
  EXPECT_EQ(whole(matrix_of(zeros, 0, 4)), 0);
}

TEST_F(FingerprintTest, AddsToTheSumAndWrapsAround) {
  std::int64_t sum = std::numeric_limits<std::int64_t>::max();
  math_.fingerprint(*stream_, {.block = matrix_of(x_, kRows, kCols), .tensor = 3, .global_cols = kCols, .sum = &sum});
  const auto expected = static_cast<std::uint64_t>(whole(matrix_of(x_, kRows, kCols)));
  EXPECT_EQ(static_cast<std::uint64_t>(sum), expected + (std::uint64_t{1} << 63) - 1);
}

TEST_F(FingerprintTest, OtherTypesAndColumnsOutsideAreRefused) {
  std::int64_t sum = 0;
  const std::vector<std::int32_t> integers(6);
  EXPECT_THROW(math_.fingerprint(*stream_, {.block = matrix_of(integers, 2, 3), .global_cols = 3, .sum = &sum}), Error);
  EXPECT_THROW(
      math_.fingerprint(*stream_, {.block = matrix_of(x_, 2, 3), .first_col = 1, .global_cols = 3, .sum = &sum}),
      Error);
}

}  // namespace
}  // namespace recombine
