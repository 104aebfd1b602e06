#include "kernels/permutation.hpp"

#include <cstdint>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace recombine {
namespace {

std::vector<std::int64_t> all_sizes() {
  std::vector<std::int64_t> sizes(71);
  std::iota(sizes.begin(), sizes.end(), 0);
  sizes.insert(sizes.end(), {1000, 60000});
  return sizes;
}

TEST(PermutationTest, IsABijection) {
  for (const std::int64_t size : all_sizes()) {
    const Permutation order(size, 1, 1);
    std::vector<int> hits(static_cast<std::size_t>(size));
    for (std::int64_t p = 0; p < size; ++p) ++hits.at(static_cast<std::size_t>(order(p)));
    EXPECT_EQ(hits, std::vector<int>(static_cast<std::size_t>(size), 1));
  }
}

TEST(PermutationTest, ShufflesByEpochAndSeed) {
  static constexpr std::int64_t kSize = 10000;
  const Permutation order(kSize, 1, 1);
  int fixed = 0;
  int same = 0;
  double product = 0;  // of two consecutive values, minus their mean
  for (std::int64_t p = 0; p < kSize; ++p) {
    fixed += order(p) == p ? 1 : 0;
    same += order(p) == Permutation(kSize, 1, 2)(p) || order(p) == Permutation(kSize, 2, 1)(p) ? 1 : 0;
    const auto off = [&](std::int64_t at) { return static_cast<double>(order(at)) / kSize - 0.5; };
    product += off(p) * off((p + 1) % kSize);
  }
  EXPECT_LT(fixed, 20);
  EXPECT_LT(same, 20);
  EXPECT_NEAR(product / kSize * 12, 0, 0.05);  // correlation of consecutive rows
}

TEST(PermutationTest, HashesTellRowsAndTheirOrderApart) {
  const Permutation order(1000, 1, 1);
  EXPECT_EQ(order.hash(10, 20), Permutation(1000, 1, 1).hash(10, 20));
  const Permutation other(1000, 1, 2);
  for (const std::uint64_t hash : {order.hash(10, 19), order.hash(11, 20), other.hash(10, 20)})
    EXPECT_NE(order.hash(10, 20), hash);
  const Permutation two(2, 1, 1);  // the same rows in the other order
  std::uint64_t epoch = 2;
  while (Permutation(2, 1, epoch)(0) == two(0)) ++epoch;
  EXPECT_NE(two.hash(0, 2), Permutation(2, 1, epoch).hash(0, 2));
}

TEST(PermutationTest, SendsAPositionAnywhereEquallyOften) {
  static constexpr std::int64_t kCells = 20;
  static constexpr std::uint64_t kEpochs = 20000;
  static constexpr double kExpected = static_cast<double>(kEpochs) / kCells;
  for (const std::int64_t position : {0, 7, 19}) {
    std::vector<double> hits(kCells);
    for (std::uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
      ++hits[static_cast<std::size_t>(Permutation(kCells, 5, epoch)(position))];
    }
    double chi_square = 0;
    for (const double count : hits) chi_square += (count - kExpected) * (count - kExpected) / kExpected;
    EXPECT_LT(chi_square, 60) << "position " << position;  // 19 degrees of freedom: exceeds 60 once in 10^5
  }
}

}  // namespace
}  // namespace recombine
