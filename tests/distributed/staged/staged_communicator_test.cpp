// Collectives that stage a GPU's data in many short pieces. Memory that is reused too early gives wrong sums.
#include "distributed/staged/staged_communicator.hpp"

#include <numeric>
#include <vector>

#include <gtest/gtest.h>
#include <mpi.h>

#include "distributed/mesh.hpp"
#include "distributed/mpi/mpi_communicator.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/rounding_terms.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kSlotBytes = 8 << 10;
constexpr std::int64_t kSize = 70001;  // 35 pieces of f32

enum class Hosts { one, many };

class StagedTest : public ::testing::TestWithParam<Hosts> {
 protected:
  void SetUp() override {
    if (test::device_kind() != DeviceKind::cuda || test::collectives() == Collectives::nccl) {
      GTEST_SKIP() << "needs a GPU whose collectives are staged";
    }
    device_ = make_device(
        {.kind = DeviceKind::cuda, .progress = test::session().progress(), .local_rank = test::session().local_rank()});
    MPI_Comm all = MPI_COMM_NULL;
    ASSERT_EQ(MPI_Comm_dup(MPI_COMM_WORLD, &all), MPI_SUCCESS);
    mpi::MpiCommunicator::Options options;
    if (GetParam() == Hosts::many) options.host = test::session().rank();
    group_ = std::make_unique<StagedCommunicator>(std::make_unique<mpi::MpiCommunicator>(all, options), *device_,
                                                  StagedCommunicator::Options{.slot_bytes = kSlotBytes});
    stream_ = device_->make_stream(StreamUse::communication);
  }

  template <class T>
  Buffer on_device(const std::vector<T>& host) {
    Buffer buffer =
        test::on_device(*device_, *stream_, vector_view(host.data(), static_cast<std::int64_t>(host.size())));
    stream_->synchronize();
    return buffer;
  }
  template <class T>
  std::vector<T> after(const Buffer& buffer) {
    std::vector<T> host(static_cast<std::size_t>(buffer.view().size));
    device_->copy(*stream_, vector_view(host.data(), buffer.view().size), buffer.view());
    stream_->synchronize();
    return host;
  }
  /// Element i of rank `rank`. All pieces differ, and sums over ranks are exact in every type.
  template <class T>
  static T value(int rank, std::int64_t i) {
    return static_cast<T>((i * 7 / 5 + i / 1000 + rank) % 29);
  }
  template <class T>
  std::vector<T> values(int rank, std::int64_t size = kSize) const {
    std::vector<T> v(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) v[static_cast<std::size_t>(i)] = value<T>(rank, i);
    return v;
  }
  template <class T>
  std::vector<T> sums(std::int64_t size = kSize) const {
    std::vector<T> v(static_cast<std::size_t>(size));
    for (int r = 0; r < group_->size(); ++r) {
      for (std::int64_t i = 0; i < size; ++i) v[static_cast<std::size_t>(i)] += value<T>(r, i);
    }
    return v;
  }
  std::vector<std::int64_t> uneven_counts() const {
    std::vector<std::int64_t> counts;
    for (int r = 0; r < group_->size(); ++r) counts.push_back(9000 * r + 13);
    return counts;
  }

  std::unique_ptr<Device> device_;
  std::unique_ptr<Communicator> group_;
  std::unique_ptr<Stream> stream_;
};

TEST_P(StagedTest, AllReduceSumsManyPiecesOfEveryType) {
  const auto check = [&]<class T>(T, std::int64_t size) {
    const Buffer data = on_device(values<T>(group_->rank(), size));
    group_->all_reduce(*stream_, data.view(), Reduction::sum);
    EXPECT_EQ(after<T>(data), sums<T>(size)) << size << " " << name_of(data_type_of<T>);
  };
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{1}, std::int64_t{2048}, std::int64_t{2049}, kSize}) {
    check(float{}, size);
    check(std::int64_t{}, size);
  }
  check(double{}, kSize);
  check(std::int32_t{}, kSize);
  check(std::uint8_t{}, kSize);
}

TEST_P(StagedTest, AllReduceAddsInTheOrderOfTheRanks) {
  std::vector<float> expected = test::rounding_terms<float>(0, kSize);
  for (int r = 1; r < group_->size(); ++r) {
    const std::vector<float> terms = test::rounding_terms<float>(r, kSize);
    for (std::size_t i = 0; i < terms.size(); ++i) expected[i] += terms[i];
  }
  const Buffer data = on_device(test::rounding_terms<float>(group_->rank(), kSize));
  group_->all_reduce(*stream_, data.view(), Reduction::sum);
  const std::vector<float> found = after<float>(data);
  if (GetParam() == Hosts::one) {
    EXPECT_EQ(test::first_other_bits(found, expected), -1);
  }
  std::vector<float> first = found;
  MPI_Bcast(first.data(), static_cast<int>(first.size()), MPI_FLOAT, 0, MPI_COMM_WORLD);
  EXPECT_EQ(test::first_other_bits(found, first), -1);
}

TEST_P(StagedTest, AllReduceTakesTheMaximum) {
  std::vector<double> expected = values<double>(0);
  for (int r = 1; r < group_->size(); ++r) {
    const std::vector<double> other = values<double>(r);
    for (std::size_t i = 0; i < other.size(); ++i) expected[i] = std::max(expected[i], other[i]);
  }
  const Buffer data = on_device(values<double>(group_->rank()));
  group_->all_reduce(*stream_, data.view(), Reduction::max);
  EXPECT_EQ(after<double>(data), expected);
}

TEST_P(StagedTest, CallsOfOneAndOfManyPiecesFollowEachOther) {
  const Buffer data = on_device(values<std::int64_t>(group_->rank()));
  for (const std::int64_t size : {kSize, std::int64_t{100}, kSize, std::int64_t{3000}, std::int64_t{7}}) {
    group_->all_reduce(*stream_, data.view().range(0, size), Reduction::sum);
  }
  std::vector<std::int64_t> expected = sums<std::int64_t>();
  for (const std::int64_t size : {std::int64_t{100}, kSize, std::int64_t{3000}, std::int64_t{7}}) {
    for (std::int64_t i = 0; i < size; ++i) expected[static_cast<std::size_t>(i)] *= group_->size();
  }
  EXPECT_EQ(after<std::int64_t>(data), expected);
}

TEST_P(StagedTest, ReduceScatterAndAllGatherMoveManyPieces) {
  const std::vector<std::int64_t> counts = uneven_counts();
  const std::int64_t size = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const Buffer data = on_device(values<float>(group_->rank(), size));
  group_->reduce_scatter(*stream_, data.view(), counts, Reduction::sum);
  group_->all_gather(*stream_, data.view(), counts);
  EXPECT_EQ(after<float>(data), sums<float>(size));
}

TEST_P(StagedTest, BroadcastMovesManyPieces) {
  for (int root = 0; root < group_->size(); ++root) {
    const Buffer data = on_device(values<float>(group_->rank()));
    group_->broadcast(*stream_, data.view(), root);
    EXPECT_EQ(after<float>(data), values<float>(root));
  }
}

INSTANTIATE_TEST_SUITE_P(Hosts, StagedTest, ::testing::Values(Hosts::one, Hosts::many),
                         [](const auto& test) { return test.param == Hosts::one ? "one" : "many"; });

}  // namespace
}  // namespace recombine
