#include "distributed/communicator.hpp"

#include <numeric>
#include <vector>

#include <gtest/gtest.h>
#include <mpi.h>

#include "distributed/mesh.hpp"
#include "distributed/mpi/mpi_communicator.hpp"
#include "kernels/error.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

/// Sizes around one chunk of the shared window, and none at all.
const std::vector<std::int64_t> kSizes = {0, 1, 2, 7, 1000, 262143, 262144, 262145, 600001};

class CommunicatorTest : public ::testing::TestWithParam<std::int64_t> {
 protected:
  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::communication);

  std::unique_ptr<Communicator> world() const {
    MPI_Comm comm = MPI_COMM_NULL;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    return std::make_unique<mpi::MpiCommunicator>(comm, mpi::MpiCommunicator::Options{.largest_piece = GetParam()});
  }
  static std::vector<float> values(int rank, std::int64_t size) {
    std::vector<float> v(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) v[static_cast<std::size_t>(i)] = static_cast<float>((i % 97) * (rank + 1));
    return v;
  }
  static float sum_at(std::int64_t i, int ranks) { return static_cast<float>((i % 97) * ranks * (ranks + 1) / 2); }
};

TEST_P(CommunicatorTest, AllReduceSums) {
  const auto group = world();
  for (const std::int64_t size : kSizes) {
    std::vector<float> v = values(group->rank(), size);
    group->all_reduce(*stream_, vector_view(v.data(), size), Reduction::sum);
    stream_->synchronize();
    for (std::int64_t i = 0; i < size; ++i) {
      ASSERT_EQ(v[static_cast<std::size_t>(i)], sum_at(i, group->size())) << "size " << size << " element " << i;
    }
  }
}

TEST_P(CommunicatorTest, AllReduceTakesTheMaximum) {
  const auto group = world();
  std::vector<std::int64_t> v = {group->rank(), -group->rank(), 5};
  group->all_reduce(*stream_, vector_view(v.data(), 3), Reduction::max);
  stream_->synchronize();
  EXPECT_EQ(v, (std::vector<std::int64_t>{group->size() - 1, 0, 5}));
}

TEST_P(CommunicatorTest, QueuedAllReducesKeepTheirOrder) {
  const auto group = world();
  std::vector<double> v(300000, 1.0);
  for (int times = 0; times < 5; ++times) {
    group->all_reduce(*stream_, vector_view(v.data(), static_cast<std::int64_t>(v.size())), Reduction::sum);
  }
  stream_->synchronize();
  double expected = 1;
  for (int times = 0; times < 5; ++times) expected *= group->size();
  EXPECT_EQ(v.front(), expected);
  EXPECT_EQ(v.back(), expected);
}

TEST_P(CommunicatorTest, ReduceScatterThenAllGatherIsAllReduce) {
  const auto group = world();
  for (const std::int64_t size : kSizes) {
    std::vector<std::int64_t> counts;
    for (int r = 0; r < group->size(); ++r) counts.push_back(split_range(size, group->size(), r).size());
    std::vector<float> v = values(group->rank(), size);
    const VectorView view = vector_view(v.data(), size);
    group->reduce_scatter(*stream_, view, counts, Reduction::sum);
    stream_->synchronize();
    const Range own = split_range(size, group->size(), group->rank());
    for (std::int64_t i = own.begin; i < own.end; ++i) {
      ASSERT_EQ(v[static_cast<std::size_t>(i)], sum_at(i, group->size())) << "size " << size << " element " << i;
    }
    group->all_gather(*stream_, view, counts);
    stream_->synchronize();
    for (std::int64_t i = 0; i < size; ++i) {
      ASSERT_EQ(v[static_cast<std::size_t>(i)], sum_at(i, group->size())) << "size " << size << " element " << i;
    }
  }
}

TEST_P(CommunicatorTest, BroadcastReachesAll) {
  const auto group = world();
  const int root = group->size() - 1;
  std::vector<float> v = values(group->rank(), 1000);
  group->broadcast(*stream_, vector_view(v.data(), 1000), root);
  stream_->synchronize();
  EXPECT_EQ(v, values(root, 1000));
}

TEST_P(CommunicatorTest, ShiftMovesAlongTheRing) {
  const auto group = world();
  const int size = group->size();
  for (const int distance : {1, -1, 2}) {
    const std::vector<float> out = values(group->rank(), 1000);
    std::vector<float> in(1000);
    group->shift(*stream_, vector_view(out.data(), 1000), vector_view(in.data(), 1000), distance);
    stream_->synchronize();
    const int from = ((group->rank() - distance) % size + size) % size;
    EXPECT_EQ(in, values(from, 1000)) << "distance " << distance;
  }
}

TEST_P(CommunicatorTest, SendReachesRecv) {
  const auto group = world();
  if (group->size() < 2) GTEST_SKIP() << "needs two ranks";
  std::vector<float> v = values(group->rank(), 1000);
  if (group->rank() == 0) group->send(*stream_, vector_view(v.data(), 1000), 1);
  if (group->rank() == 1) group->recv(*stream_, vector_view(v.data(), 1000), 0);
  stream_->synchronize();
  if (group->rank() == 1) {
    EXPECT_EQ(v, values(0, 1000));
  }
}

TEST_P(CommunicatorTest, SplitGroupsByColorAndOrdersByKey) {
  const auto group = world();
  const auto part = group->split(group->rank() % 2, -group->rank());
  const int members = (group->size() + 1 - group->rank() % 2) / 2;
  EXPECT_EQ(part->size(), members);
  EXPECT_EQ(part->rank(), members - 1 - group->rank() / 2);
  std::int64_t sum = group->rank();
  part->all_reduce(*stream_, vector_view(&sum, 1), Reduction::sum);
  stream_->synchronize();
  std::int64_t expected = 0;
  for (int r = group->rank() % 2; r < group->size(); r += 2) expected += r;
  EXPECT_EQ(sum, expected);
}

TEST_P(CommunicatorTest, CountsThatDoNotAddUpAreRefused) {
  const auto group = world();
  std::vector<float> v(4);
  const std::vector<std::int64_t> counts(static_cast<std::size_t>(group->size()), 5);
  EXPECT_THROW(group->all_gather(*stream_, vector_view(v.data(), 4), counts), Error);
}

// A small largest piece stands for data longer than MPI's int counts.
INSTANTIATE_TEST_SUITE_P(Pieces, CommunicatorTest,
                         ::testing::Values(mpi::MpiCommunicator::kLargestPiece, std::int64_t{50000}));

class AgreeTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::communication);
  std::unique_ptr<Communicator> world_ = make_world(test::session());
};

TEST_F(AgreeTest, TheLowestFailingRankSpeaksForAll) {
  const int last = world_->size() - 1;
  const auto work = [&] {
    if (world_->rank() >= last / 2) throw InputError(fmt::format("file {} is bad", world_->rank()));
  };
  try {
    agree(*world_, *stream_, work);
    FAIL() << "agree() did not throw";
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()), fmt::format("file {} is bad", last / 2));
  }
}

TEST_F(AgreeTest, TheKindOfFailureIsKept) {
  EXPECT_THROW(on_root(*world_, *stream_, [] { throw InputError("x"); }), InputError);
  try {
    on_root(*world_, *stream_, [] { throw Error("y"); });
    FAIL();
  } catch (const InputError&) {
    FAIL() << "became an InputError";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "y");
  }
}

TEST_F(AgreeTest, SuccessIsQuiet) {
  EXPECT_NO_THROW(agree(*world_, *stream_, [] {}));
}

}  // namespace
}  // namespace recombine
