// Every collective with data that need several MPI calls. MPI's counts are ints, so longer data are sent in pieces. A
// small largest piece makes short data need several pieces too.
#include <numeric>

#include "distributed/mesh.hpp"
#include "kernels/error.hpp"
#include "tests/distributed/mpi/hosts_fixture.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kSize = 12345;

float value(int rank, std::int64_t i) { return static_cast<float>((i % 97) * (rank + 1)); }
float sum_of(int ranks, std::int64_t i) { return static_cast<float>((i % 97) * ranks * (ranks + 1) / 2); }

class PiecesTest : public test::HostsTest {
 protected:
  std::vector<float> values(int rank) const {
    std::vector<float> v(static_cast<std::size_t>(kSize));
    for (std::int64_t i = 0; i < kSize; ++i) v[static_cast<std::size_t>(i)] = value(rank, i);
    return v;
  }
  /// Unequal, so that the last pieces of the ranks differ in length.
  std::vector<std::int64_t> counts() const {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(pieces_->size()), 1001);
    counts.back() = kSize - 1001 * (pieces_->size() - 1);
    return counts;
  }
  Range own() const {
    const std::int64_t begin = 1001 * pieces_->rank();
    return {begin, begin + counts()[static_cast<std::size_t>(pieces_->rank())]};
  }
  void expect_sums(const std::vector<float>& v, Range range) const {
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      ASSERT_EQ(v[static_cast<std::size_t>(i)], sum_of(pieces_->size(), i)) << "element " << i;
    }
  }

  std::unique_ptr<Communicator> pieces_ = make_group(500);
};

TEST_P(PiecesTest, AllReduce) {
  std::vector<float> v = values(pieces_->rank());
  pieces_->all_reduce(*stream_, view(v), Reduction::sum);
  stream_->synchronize();
  expect_sums(v, {0, kSize});
}

TEST_P(PiecesTest, ReduceScatter) {
  std::vector<float> v = values(pieces_->rank());
  pieces_->reduce_scatter(*stream_, view(v), counts(), Reduction::sum);
  stream_->synchronize();
  expect_sums(v, own());
}

TEST_P(PiecesTest, AllGather) {
  const std::vector<float> all = values(3);
  std::vector<float> v(all.size(), -1.0F);
  for (std::int64_t i = own().begin; i < own().end; ++i) v[static_cast<std::size_t>(i)] = value(3, i);
  pieces_->all_gather(*stream_, view(v), counts());
  stream_->synchronize();
  EXPECT_EQ(v, all);
}

TEST_P(PiecesTest, Broadcast) {
  const int root = pieces_->size() - 1;
  std::vector<float> v = values(pieces_->rank());
  pieces_->broadcast(*stream_, view(v), root);
  stream_->synchronize();
  EXPECT_EQ(v, values(root));
}

INSTANTIATE_TEST_SUITE_P(Hosts, PiecesTest, ::testing::ValuesIn(test::kHosts), test::name_of_hosts);

}  // namespace
}  // namespace recombine
