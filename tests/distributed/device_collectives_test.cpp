// Every collective of a Communicator, on memory of the device under test, on the route that this device uses.
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "distributed/communicator.hpp"
#include "distributed/mesh.hpp"
#include "distributed/rank_context.hpp"
#include "distributed/ring.hpp"
#include "kernels/cpu/cpu_stream.hpp"
#include "kernels/error.hpp"
#include "tests/support/planned_exchange.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/rounding_terms.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

constexpr std::array<std::int64_t, 5> kSizes = {0, 1, 7, 1000, 70001};

/// Element i of rank `rank`. It is small, so that sums of every type are exact.
template <class T>
T value(int rank, std::int64_t i) {
  return static_cast<T>((i % 13) * (rank + 1));
}
template <class T>
T sum_of(int ranks, std::int64_t i) {
  return static_cast<T>((i % 13) * ranks * (ranks + 1) / 2);
}

class DeviceCollectivesTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = make_device({.kind = test::device_kind(),
                                                 .progress = test::session().progress(),
                                                 .local_rank = test::session().local_rank()});
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Communicator> group_ = make_communicator(*world_, *device_, test::collectives(), 0, world_->rank());
  std::unique_ptr<Stream> compute_ = device_->make_stream(StreamUse::compute);
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::communication);

  template <class T>
  std::vector<T> values(std::int64_t size, int rank) const {
    std::vector<T> v(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) v[static_cast<std::size_t>(i)] = value<T>(rank, i);
    return v;
  }
  template <class T>
  Buffer own_values(std::int64_t size) {
    const std::vector<T> own = values<T>(size, group_->rank());
    Buffer buffer = test::on_device(*device_, *compute_, vector_view(own.data(), size));
    stream_->wait(compute_->record());
    return buffer;
  }
  /// The elements of `view` after all enqueued communication.
  template <class T>
  std::vector<T> after(ConstVectorView view) {
    std::vector<T> v(static_cast<std::size_t>(view.size));
    compute_->wait(stream_->record());
    device_->copy(*compute_, vector_view(v.data(), view.size), view);
    compute_->synchronize();
    return v;
  }
  enum class Pieces { equal, unequal };
  std::vector<std::int64_t> counts_of(std::int64_t size, Pieces pieces) const {
    std::vector<std::int64_t> counts;
    for (int r = 0; r < group_->size(); ++r) {
      counts.push_back(pieces == Pieces::equal ? size / group_->size() : split_range(size, group_->size(), r).size());
    }
    return counts;
  }
};

template <class T>
void check_all_reduce(const std::vector<T>& found, int ranks) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i], sum_of<T>(ranks, static_cast<std::int64_t>(i))) << "element " << i << " of " << found.size();
  }
}

TEST_F(DeviceCollectivesTest, AllReduceSumsEveryType) {
  for (const std::int64_t size : kSizes) {
    const Buffer f32 = own_values<float>(size);
    group_->all_reduce(*stream_, f32.view(), Reduction::sum);
    check_all_reduce(after<float>(f32.view()), group_->size());
    const Buffer f64 = own_values<double>(size);
    group_->all_reduce(*stream_, f64.view(), Reduction::sum);
    check_all_reduce(after<double>(f64.view()), group_->size());
    const Buffer i64 = own_values<std::int64_t>(size);
    group_->all_reduce(*stream_, i64.view(), Reduction::sum);
    check_all_reduce(after<std::int64_t>(i64.view()), group_->size());
  }
}

template <class T>
void expect_same_bits_as_rank_0(Communicator& world, const std::vector<T>& own) {
  std::vector<T> first = own;
  const auto stream = cpu::make_inline_stream();
  world.broadcast(*stream, vector_view(first.data(), static_cast<std::int64_t>(first.size())), 0);
  EXPECT_EQ(test::first_other_bits(own, first), -1) << own.size() << " " << name_of(data_type_of<T>);
}

TEST_F(DeviceCollectivesTest, AllReduceLeavesTheSameBitsOnEveryRank) {
  const auto check = [&]<class T>(std::int64_t size, T) {
    const std::vector<T> terms = test::rounding_terms<T>(group_->rank(), size);
    const Buffer sums = test::on_device(*device_, *compute_, vector_view(terms.data(), size));
    stream_->wait(compute_->record());
    group_->all_reduce(*stream_, sums.view(), Reduction::sum);
    expect_same_bits_as_rank_0(*world_, after<T>(sums.view()));
  };
  for (const std::int64_t size : kSizes) {
    check(size, float{});
    check(size, double{});
  }
}

TEST_F(DeviceCollectivesTest, AllReduceTakesTheMaximum) {
  const Buffer v = own_values<float>(100);
  group_->all_reduce(*stream_, v.view(), Reduction::max);
  EXPECT_EQ(after<float>(v.view()), values<float>(100, group_->size() - 1));
}

TEST_F(DeviceCollectivesTest, QueuedCallsKeepTheirOrder) {
  const Buffer v = own_values<double>(5000);
  for (int times = 0; times < 4; ++times) group_->all_reduce(*stream_, v.view(), Reduction::sum);
  group_->broadcast(*stream_, v.view(), group_->size() - 1);
  double factor = group_->size() * (group_->size() + 1) / 2;
  for (int times = 1; times < 4; ++times) factor *= group_->size();
  const std::vector<double> found = after<double>(v.view());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], static_cast<double>(i % 13) * factor);
}

TEST_F(DeviceCollectivesTest, ReduceScatterThenAllGatherIsAllReduce) {
  for (const std::int64_t size : kSizes) {
    for (const Pieces pieces : {Pieces::equal, Pieces::unequal}) {
      const std::vector<std::int64_t> counts = counts_of(size, pieces);
      const Buffer buffer = own_values<float>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
      group_->reduce_scatter(*stream_, buffer.view(), counts, Reduction::sum);
      group_->all_gather(*stream_, buffer.view(), counts);
      check_all_reduce(after<float>(buffer.view()), group_->size());
    }
  }
}

TEST_F(DeviceCollectivesTest, PiecesMayBeEmptyAndOfAnyLength) {
  std::vector<std::int64_t> counts;
  for (int r = 0; r < group_->size(); ++r) counts.push_back(r % 2 == 0 ? 0 : 100 * r + 1);
  const Buffer buffer = own_values<float>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  group_->reduce_scatter(*stream_, buffer.view(), counts, Reduction::sum);
  group_->all_gather(*stream_, buffer.view(), counts);
  check_all_reduce(after<float>(buffer.view()), group_->size());
}

TEST_F(DeviceCollectivesTest, BroadcastMovesEveryType) {
  for (int root = 0; root < group_->size(); ++root) {
    std::vector<BFloat16> v(33, {static_cast<std::uint16_t>(100 + group_->rank())});
    const Buffer buffer = test::on_device(*device_, *compute_, vector_view(v.data(), 33));
    stream_->wait(compute_->record());
    group_->broadcast(*stream_, buffer.view(), root);
    for (const BFloat16 x : after<BFloat16>(buffer.view())) ASSERT_EQ(x.bits, 100 + root);
  }
}

TEST_F(DeviceCollectivesTest, ShiftMovesAlongTheRing) {
  const int size = group_->size();
  for (const int distance : {1, -1, 2, size}) {
    const int from = ((group_->rank() - distance) % size + size) % size;
    const std::int64_t out_size = 100 * group_->rank();  // rank 0 sends no elements
    const Buffer out = own_values<float>(out_size);
    const Buffer in(*device_, DataType::f32, 100 * from);
    shift(*group_, *stream_, out.view(), in.view(), distance);
    EXPECT_EQ(after<float>(in.view()), values<float>(100 * from, from)) << "distance " << distance;
  }
}

TEST_F(DeviceCollectivesTest, ExchangeMovesAllPieces) {
  const auto plan = test::plan_exchange(group_->size(), [](int from, int to) {
    std::vector<std::int64_t> lengths;
    for (int p = 0; p < 1 + (from + 2 * to) % 4; ++p) lengths.push_back((p * 3701 + from * 257 + to * 64) % 9000);
    return lengths;
  });
  std::vector<Buffer> sent;
  std::vector<Buffer> received;
  std::vector<Piece> out;
  std::vector<Piece> in;
  std::vector<test::PlannedPiece> expected;
  for (const test::PlannedPiece& piece : plan) {
    if (piece.from == group_->rank()) {
      std::vector<std::byte> data;
      for (std::int64_t i = 0; i < piece.bytes(); ++i) data.push_back(piece.byte(i));
      sent.push_back(test::on_device(*device_, *compute_, {data.data(), piece.size, piece.type}));
      compute_->synchronize();  // before `data` is freed
      out.push_back({piece.to, sent.back().view()});
    }
    if (piece.to != group_->rank()) continue;
    received.emplace_back(*device_, piece.type, piece.size);
    in.push_back({piece.from, received.back().view()});
    expected.push_back(piece);
  }
  stream_->wait(compute_->record());
  group_->exchange(*stream_, out, in);
  for (std::size_t p = 0; p < expected.size(); ++p) {
    const VectorView view = received[p].view();
    const auto found = after<std::uint8_t>({view.data, view.bytes(), DataType::u8});
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(static_cast<std::byte>(found[i]), expected[p].byte(static_cast<std::int64_t>(i)))
          << "byte " << i << " from rank " << expected[p].from << ", piece " << expected[p].index;
    }
  }
}

TEST_F(DeviceCollectivesTest, SplitGroupsByColorAndOrdersByKey) {
  const auto part = group_->split(group_->rank() % 2, -group_->rank());
  const int members = (group_->size() + 1 - group_->rank() % 2) / 2;
  EXPECT_EQ(part->size(), members);
  EXPECT_EQ(part->rank(), members - 1 - group_->rank() / 2);
  const Buffer v = own_values<std::int64_t>(20);
  part->all_reduce(*stream_, v.view(), Reduction::sum);
  std::int64_t factor = 0;
  for (int r = group_->rank() % 2; r < group_->size(); r += 2) factor += r + 1;
  const auto found = after<std::int64_t>(v.view());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], static_cast<std::int64_t>(i % 13) * factor);
}

TEST_F(DeviceCollectivesTest, AFailingRankEndsTheWaitOfTheOthers) {
  if (test::collectives() != Collectives::nccl) GTEST_SKIP() << "MPI ends the job instead";
  if (group_->size() == 1) GTEST_SKIP() << "needs two ranks";
  auto group = make_communicator(*world_, *device_, Collectives::nccl, 0, world_->rank());
  std::int64_t made = 1;  // this sum waits until every rank has its communicator, before one fails
  world_->all_reduce(*cpu::make_inline_stream(), vector_view(&made, 1), Reduction::sum);
  if (group_->rank() == 0) {
    try {
      const auto lost = std::move(group);
      throw Error("this rank has failed");
    } catch (const Error&) {  // the destructor of its communicator has aborted it
    }
    return;
  }
  try {
    const Buffer v = own_values<float>(1000);
    group->all_reduce(*stream_, v.view(), Reduction::sum);
    stream_->synchronize();
    FAIL() << "the sum came without rank 0";
  } catch (const Error& error) {
    const std::string what = error.what();  // from NCCL, or from the hosts' comparison of calls
    EXPECT_TRUE(what.find("NCCL") != std::string::npos || what.find("rank 0 calls no more") != std::string::npos)
        << what;
  }
}

TEST_F(DeviceCollectivesTest, OnlyNcclAndOneRankAreCapturable) {
  const bool nccl = test::device_kind() == DeviceKind::cuda && test::collectives() == Collectives::nccl;
  EXPECT_EQ(group_->capturable(), nccl || group_->size() == 1);
  const RankContext context({1, 1, group_->size()}, *world_, *device_, test::collectives());
  EXPECT_EQ(context.capturable(), group_->capturable());
}

TEST_F(DeviceCollectivesTest, CountsThatDoNotAddUpAreRefused) {
  const Buffer v = own_values<float>(4);
  const std::vector<std::int64_t> counts(static_cast<std::size_t>(group_->size()), 5);
  EXPECT_THROW(group_->all_gather(*stream_, v.view(), counts), Error);
  EXPECT_THROW(group_->reduce_scatter(*stream_, v.view(), counts, Reduction::sum), Error);
}

}  // namespace
}  // namespace recombine
