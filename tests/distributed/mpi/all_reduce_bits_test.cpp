// On every route all_reduce leaves the same bits on every rank, even if the sum depends on the order of its terms.
// Otherwise replicas of the weights would drift apart.
#include <algorithm>

#include "kernels/error.hpp"
#include "tests/distributed/mpi/hosts_fixture.hpp"
#include "tests/support/rounding_terms.hpp"

namespace recombine {
namespace {

using test::kRing;
using test::kSlot;

TEST(RoundingTerms, GiveDifferentSumsInDifferentOrders) {
  std::int64_t depends = 0;
  for (std::int64_t i = 0; i < 1000; ++i) {
    float up = 0;
    float down = 0;
    for (int r = 0; r < 3; ++r) up += test::rounding_term<float>(r, i);
    for (int r = 2; r >= 0; --r) down += test::rounding_term<float>(r, i);
    depends += up == down ? 0 : 1;
  }
  EXPECT_GT(depends, 600);
}

class AllReduceBitsTest : public test::HostsTest {
 protected:
  enum class Memory { own, common };

  /// Sums data that starts at element `offset` of its memory, and compares the result with rank 0's.
  template <class T>
  void check(Communicator& group, std::int64_t size, std::int64_t offset = 0, Memory memory = Memory::own) const {
    const Buffer buffer = memory == Memory::common
                              ? group.allocate(*device_, data_type_of<T>, offset + size, MemoryUse::buffers)
                              : Buffer(*device_, data_type_of<T>, offset + size);
    const VectorView data = buffer.view().range(offset, offset + size);
    const auto terms = test::rounding_terms<T>(group.rank(), size);
    std::copy(terms.begin(), terms.end(), data.as<T>());
    group.all_reduce(*stream_, data, Reduction::sum);
    stream_->synchronize();
    const std::vector<T> own(data.as<T>(), data.as<T>() + size);
    std::vector<T> first = own;
    group.broadcast(*stream_, view(first), 0);
    stream_->synchronize();
    const std::int64_t at = test::first_other_bits(own, first);
    EXPECT_EQ(at, -1) << size << " " << name_of(data_type_of<T>) << " from element " << offset << ": rank "
                      << group.rank() << " has " << own[static_cast<std::size_t>(std::max<std::int64_t>(at, 0))]
                      << ", rank 0 has " << first[static_cast<std::size_t>(std::max<std::int64_t>(at, 0))];
  }
  std::vector<std::int64_t> sizes() const {
    const std::int64_t ranks = group_->size();
    return {1, 3, 1000, 4095, 4097, kSlot - 1, 3 * kSlot + 5, ranks * kSlot + 1, kRing + 7};
  }
};

TEST_P(AllReduceBitsTest, SumsOfAnySize) {
  for (const std::int64_t size : sizes()) {
    check<float>(*group_, size);
    check<double>(*group_, size / 2 + 1);
  }
}

TEST_P(AllReduceBitsTest, SumsInPieces) {
  for (const std::int64_t piece : {std::int64_t{999}, std::int64_t{30000}}) {
    const auto group = make_group(piece);
    check<float>(*group, 100003);
    check<double>(*group, 50001);
  }
}

TEST_P(AllReduceBitsTest, SumsInCommonMemory) {
  for (const std::int64_t offset : {0, 3}) {
    check<float>(*group_, 3 * kSlot + 5, offset, Memory::common);
    check<double>(*group_, 2 * kSlot + 1, offset, Memory::common);
  }
}

class RankOrderTest : public test::HostsTest {
 protected:
  void check(std::int64_t size) const {
    std::vector<float> sums = test::rounding_terms<float>(group_->rank(), size);
    group_->all_reduce(*stream_, view(sums), Reduction::sum);
    stream_->synchronize();
    for (std::int64_t i = 0; i < size; ++i) {
      float expected = test::rounding_term<float>(0, i);
      for (int r = 1; r < group_->size(); ++r) expected += test::rounding_term<float>(r, i);
      ASSERT_EQ(sums[static_cast<std::size_t>(i)], expected) << "element " << i << " of " << size;
    }
  }
};

class OneHostTest : public RankOrderTest {};

TEST_P(OneHostTest, TermsAreAddedInTheOrderOfRanks) {
  check(100);
  check(3 * kSlot);
}

class HostsOfOneRankTest : public RankOrderTest {};

// For 64 KiB or more, each rank sums a share of the data. Every share is summed in the same order.
TEST_P(HostsOfOneRankTest, TermsOfLongDataAreAddedInTheOrderOfHosts) {
  for (const std::int64_t size : {16384, 50001, 1048576 + 16385}) check(size);
}

INSTANTIATE_TEST_SUITE_P(Hosts, OneHostTest, ::testing::Values(test::kHosts.front()), test::name_of_hosts);
INSTANTIATE_TEST_SUITE_P(Hosts, HostsOfOneRankTest, ::testing::Values(test::kHosts.back()), test::name_of_hosts);
INSTANTIATE_TEST_SUITE_P(Hosts, AllReduceBitsTest, ::testing::ValuesIn(test::kHosts), test::name_of_hosts);

}  // namespace
}  // namespace recombine
