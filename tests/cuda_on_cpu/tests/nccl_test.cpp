// Compares the stand-in for NCCL with plain loops. Each rank is a process.
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/cuda_on_cpu/tests/device_array.hpp"
#include "tests/cuda_on_cpu/tests/nccl_fixture.hpp"

namespace emulated::test {

namespace {

template <class T>
struct TypeOf;
template <>
struct TypeOf<std::uint8_t> {
  static constexpr auto value = ncclUint8;
};
template <>
struct TypeOf<std::int32_t> {
  static constexpr auto value = ncclInt32;
};
template <>
struct TypeOf<std::int64_t> {
  static constexpr auto value = ncclInt64;
};
template <>
struct TypeOf<float> {
  static constexpr auto value = ncclFloat32;
};
template <>
struct TypeOf<double> {
  static constexpr auto value = ncclFloat64;
};

constexpr std::array<std::size_t, 4> kCounts{0, 1, 7, 40000};  // the last is more than a chunk

/// Element i of the rank's contribution: a small whole number, exact in every type.
int contribution(int rank, std::size_t i) { return static_cast<int>((i + 3 * static_cast<std::size_t>(rank)) % 11); }

template <class T>
std::vector<T> contributions(int rank, std::size_t count) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<T>(contribution(rank, i));
  return values;
}

int recombined(int ranks, std::size_t i, ncclRedOp_t reduction) {
  int value = contribution(0, i);
  for (int rank = 1; rank < ranks; ++rank) {
    const int next = contribution(rank, i);
    value = reduction == ncclSum ? value + next : std::max(value, next);
  }
  return value;
}

template <class T>
std::vector<T> all_recombined(int ranks, std::size_t count, ncclRedOp_t reduction) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<T>(recombined(ranks, i, reduction));
  return values;
}

template <class T>
void all_reduce_of_type(const Rank& rank) {
  const Member member(rank);
  for (const std::size_t count : kCounts)
    for (const auto reduction : {ncclSum, ncclMax}) {
      const DeviceArray<T> x(contributions<T>(rank.rank, count));
      EXPECT_EQ(ncclAllReduce(x.data(), x.data(), count, TypeOf<T>::value, reduction, member, member.stream()),
                ncclSuccess);
      member.stream().synchronize();
      EXPECT_EQ(x.values(), all_recombined<T>(rank.ranks, count, reduction));
    }
}

TEST_P(NcclTest, AllReduceSumsAndTakesMaximaInEveryType) {
  expect_success([](const Rank& rank) { all_reduce_of_type<std::uint8_t>(rank); });
  expect_success([](const Rank& rank) { all_reduce_of_type<std::int32_t>(rank); });
  expect_success([](const Rank& rank) { all_reduce_of_type<std::int64_t>(rank); });
  expect_success([](const Rank& rank) { all_reduce_of_type<float>(rank); });
  expect_success([](const Rank& rank) { all_reduce_of_type<double>(rank); });
}

TEST_P(NcclTest, AllReduceSumsBf16) {
  expect_success([](const Rank& rank) {
    const Member member(rank);
    const std::vector<std::uint16_t> ones(9, 0x3f80);
    const DeviceArray<std::uint16_t> x(ones);
    EXPECT_EQ(ncclAllReduce(x.data(), x.data(), 9, ncclBfloat16, ncclSum, member, member.stream()), ncclSuccess);
    member.stream().synchronize();
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(rank.ranks)) >> 16;
    EXPECT_EQ(x.values(), std::vector<std::uint16_t>(9, static_cast<std::uint16_t>(bits)));
  });
}

TEST_P(NcclTest, ReduceScatterAndAllGatherWorkInPlace) {
  expect_success([](const Rank& rank) {
    const Member member(rank);
    for (const std::size_t count : kCounts) {
      const auto all = count * static_cast<std::size_t>(rank.ranks);
      const DeviceArray<float> x(contributions<float>(rank.rank, all));
      float* const own = x.data() ? x.data() + count * static_cast<std::size_t>(rank.rank) : nullptr;
      EXPECT_EQ(ncclReduceScatter(x.data(), own, count, ncclFloat32, ncclSum, member, member.stream()), ncclSuccess);
      EXPECT_EQ(ncclAllGather(own, x.data(), count, ncclFloat32, member, member.stream()), ncclSuccess);
      member.stream().synchronize();
      EXPECT_EQ(x.values(), all_recombined<float>(rank.ranks, all, ncclSum));
    }
  });
}

TEST_P(NcclTest, ReduceAndBroadcastWorkForEveryRoot) {
  expect_success([](const Rank& rank) {
    const Member member(rank);
    for (int root = 0; root < rank.ranks; ++root) {
      const DeviceArray<double> x(contributions<double>(rank.rank, 20000));
      const DeviceArray<double> sum(20000);
      void* const to = root == rank.rank ? sum.data() : nullptr;
      EXPECT_EQ(ncclReduce(x.data(), to, 20000, ncclFloat64, ncclSum, root, member, member.stream()), ncclSuccess);
      EXPECT_EQ(ncclBroadcast(to, sum.data(), 20000, ncclFloat64, root, member, member.stream()), ncclSuccess);
      member.stream().synchronize();
      EXPECT_EQ(sum.values(), all_recombined<double>(rank.ranks, 20000, ncclSum));
      EXPECT_EQ(x.values(), contributions<double>(rank.rank, 20000));
    }
  });
}

TEST_P(NcclTest, AGroupReducesUnequalCounts) {
  expect_success([](const Rank& rank) {
    const Member member(rank);
    const std::size_t all = 100 * static_cast<std::size_t>(rank.ranks);
    const DeviceArray<float> x(contributions<float>(rank.rank, all));
    const auto expected = all_recombined<float>(rank.ranks, all, ncclSum);
    EXPECT_EQ(ncclGroupStart(), ncclSuccess);
    for (int root = 0; root < rank.ranks; ++root) {  // the part of `root`: 10 * root elements, from element 100 * root
      float* const part = x.data() + 100 * root;
      EXPECT_EQ(ncclReduce(part, part, static_cast<std::size_t>(10 * root), ncclFloat32, ncclSum, root, member,
                           member.stream()),
                ncclSuccess);
    }
    EXPECT_EQ(ncclGroupEnd(), ncclSuccess);
    member.stream().synchronize();
    const auto values = x.values();
    for (std::size_t i = 0; i < all; ++i) {
      const bool summed = i / 100 == static_cast<std::size_t>(rank.rank) && i % 100 < 10 * (i / 100);
      EXPECT_EQ(values[i], summed ? expected[i] : static_cast<float>(contribution(rank.rank, i))) << i;
    }
  });
}

TEST_P(NcclTest, AGroupOfSendAndReceiveShiftsAlongTheRing) {
  expect_success([](const Rank& rank) {
    const Member member(rank);
    const int next = (rank.rank + 1) % rank.ranks;
    const int previous = (rank.rank + rank.ranks - 1) % rank.ranks;
    for (const std::size_t count : kCounts) {
      const DeviceArray<float> from(contributions<float>(rank.rank, count));
      const DeviceArray<float> to(count);
      EXPECT_EQ(ncclGroupStart(), ncclSuccess);
      EXPECT_EQ(ncclSend(from.data(), count, ncclFloat32, next, member, member.stream()), ncclSuccess);
      EXPECT_EQ(ncclRecv(to.data(), count, ncclFloat32, previous, member, member.stream()), ncclSuccess);
      EXPECT_EQ(ncclGroupEnd(), ncclSuccess);
      member.stream().synchronize();
      EXPECT_EQ(to.values(), contributions<float>(previous, count));
    }
  });
}

TEST_P(NcclTest, SplitOrdersByKeyAndLeavesOutRanksWithoutAColor) {
  expect_success([](const Rank& rank) {
    const Member member(rank);
    ncclComm_t reversed = nullptr;
    EXPECT_EQ(ncclCommSplit(member, 7, -rank.rank, &reversed, nullptr), ncclSuccess);
    int place = -1;
    EXPECT_EQ(ncclCommUserRank(reversed, &place), ncclSuccess);
    EXPECT_EQ(place, rank.ranks - 1 - rank.rank);
    ncclComm_t odd = nullptr;
    EXPECT_EQ(ncclCommSplit(reversed, rank.rank % 2 == 1 ? 1 : NCCL_SPLIT_NOCOLOR, 0, &odd, nullptr), ncclSuccess);
    EXPECT_EQ(odd != nullptr, rank.rank % 2 == 1);
    if (odd) {
      int count = 0;
      EXPECT_EQ(ncclCommCount(odd, &count), ncclSuccess);
      EXPECT_EQ(count, rank.ranks / 2);
      EXPECT_EQ(ncclCommDestroy(odd), ncclSuccess);
    }
    EXPECT_EQ(ncclCommDestroy(reversed), ncclSuccess);
  });
}

TEST_P(NcclTest, OneCommunicatorKeepsTheOrderOfCallsOnTwoStreams) {
  expect_success([](const Rank& rank) {
    const Member member(rank);
    const Stream other;
    const DeviceArray<float> x(std::vector<float>{1});
    const DeviceArray<float> y(std::vector<float>{2});
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(ncclAllReduce(x.data(), x.data(), 1, ncclFloat32, ncclMax, member, member.stream()), ncclSuccess);
      EXPECT_EQ(ncclAllReduce(y.data(), y.data(), 1, ncclFloat32, ncclSum, member, other), ncclSuccess);
    }
    EXPECT_EQ(ncclCommFinalize(member), ncclSuccess);
    EXPECT_EQ(x.values()[0], 1.0F);
    EXPECT_EQ(y.values()[0], 2.0F * static_cast<float>(std::pow(rank.ranks, 20)));
  });
}

INSTANTIATE_TEST_SUITE_P(ranks, NcclTest, ::testing::Values(1, 2, 3, 4));

}  // namespace

}  // namespace emulated::test
