// Every collective, for ranks on one host and on several simulated hosts. Sizes are near those of the chunks in which
// data go through shared memory.
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "distributed/mesh.hpp"
#include "distributed/ring.hpp"
#include "kernels/error.hpp"
#include "tests/distributed/mpi/hosts_fixture.hpp"

namespace recombine {
namespace {

using test::kRing;
using test::kSlot;

float value(int rank, std::int64_t i) { return static_cast<float>((i % 97) * (rank + 1)); }
float sum_of(int ranks, std::int64_t i) { return static_cast<float>((i % 97) * ranks * (ranks + 1) / 2); }

class CollectivesTest : public test::HostsTest {
 protected:
  static std::vector<float> values(int rank, std::int64_t size) {
    std::vector<float> v(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) v[static_cast<std::size_t>(i)] = value(rank, i);
    return v;
  }
  /// Expects v[i] == expected(i) for i in [range.begin, range.end).
  static void expect(const std::vector<float>& v, Range range, const std::function<float(std::int64_t)>& expected,
                     const std::string& what) {
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      ASSERT_EQ(v[static_cast<std::size_t>(i)], expected(i)) << what << ", element " << i;
    }
  }
  static std::vector<Range> ranges_of(const std::vector<std::int64_t>& counts) {
    std::vector<Range> ranges;
    std::int64_t begin = 0;
    for (const std::int64_t count : counts) {
      ranges.push_back({begin, begin + count});
      begin += count;
    }
    return ranges;
  }
  /// Counts per rank: equal, all on one rank, growing, every second one zero, odd lengths.
  std::vector<std::vector<std::int64_t>> all_counts() const {
    std::vector<std::vector<std::int64_t>> all;
    const auto add = [&](const std::function<std::int64_t(int)>& count) {
      std::vector<std::int64_t> counts;
      for (int r = 0; r < group_->size(); ++r) counts.push_back(count(r));
      all.push_back(counts);
    };
    for (const std::int64_t n : {std::int64_t{0}, std::int64_t{1}, kSlot, kSlot + 1}) add([n](int) { return n; });
    add([this](int r) { return r == group_->size() - 1 ? 3 * kSlot + 5 : 0; });
    add([](int r) { return r * kSlot / 2; });
    add([](int r) { return r % 2 == 0 ? 777 : 0; });
    add([](int r) { return r == 0 ? kRing + 3 : 1; });
    return all;
  }
  Range own(const std::vector<std::int64_t>& counts) const {
    return ranges_of(counts)[static_cast<std::size_t>(group_->rank())];
  }
};

TEST_P(CollectivesTest, AllReduceOfAnySize) {
  const std::int64_t ranks = group_->size();
  for (const std::int64_t size :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{3}, std::int64_t{4096}, std::int64_t{4097}, kSlot - 1, kSlot,
        kSlot + 1, ranks * kSlot - 1, ranks * kSlot, ranks * kSlot + 1, ranks * kRing + 7}) {
    std::vector<float> v = values(group_->rank(), size);
    group_->all_reduce(*stream_, view(v), Reduction::sum);
    stream_->synchronize();
    expect(
        v, {0, size}, [&](std::int64_t i) { return sum_of(group_->size(), i); }, fmt::format("size {}", size));
  }
}

template <class T>
void check_type(Communicator& group, Stream& stream) {
  for (const std::int64_t size : {5, 100000}) {
    for (const Reduction reduction : {Reduction::sum, Reduction::max}) {
      std::vector<T> v(static_cast<std::size_t>(size));
      const auto term = [](int rank, std::int64_t i) { return static_cast<T>((i + rank) % 11); };
      for (std::int64_t i = 0; i < size; ++i) v[static_cast<std::size_t>(i)] = term(group.rank(), i);
      group.all_reduce(stream, vector_view(v.data(), size), reduction);
      stream.synchronize();
      for (std::int64_t i = 0; i < size; ++i) {
        T expected = term(0, i);
        for (int r = 1; r < group.size(); ++r) {
          const T next = term(r, i);
          expected = reduction == Reduction::sum ? static_cast<T>(expected + next) : std::max(expected, next);
        }
        ASSERT_EQ(v[static_cast<std::size_t>(i)], expected) << name_of(data_type_of<T>) << " element " << i;
      }
    }
  }
}

TEST_P(CollectivesTest, AllReduceOfEveryType) {
  check_type<float>(*group_, *stream_);
  check_type<double>(*group_, *stream_);
  check_type<std::int64_t>(*group_, *stream_);
  check_type<std::int32_t>(*group_, *stream_);
  check_type<std::uint8_t>(*group_, *stream_);
}

TEST_P(CollectivesTest, ReduceScatterOfAnyCounts) {
  for (const auto& counts : all_counts()) {
    std::vector<float> v = values(group_->rank(), std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    group_->reduce_scatter(*stream_, view(v), counts, Reduction::sum);
    stream_->synchronize();
    expect(
        v, own(counts), [&](std::int64_t i) { return sum_of(group_->size(), i); }, "reduce_scatter");
  }
}

TEST_P(CollectivesTest, AllGatherOfAnyCounts) {
  for (const auto& counts : all_counts()) {
    const std::int64_t size = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
    std::vector<float> v(static_cast<std::size_t>(size), -1.0F);
    for (std::int64_t i = own(counts).begin; i < own(counts).end; ++i) {
      v[static_cast<std::size_t>(i)] = value(group_->rank(), i);
    }
    group_->all_gather(*stream_, view(v), counts);
    stream_->synchronize();
    const std::vector<Range> ranges = ranges_of(counts);
    for (int r = 0; r < group_->size(); ++r) {
      expect(
          v, ranges[static_cast<std::size_t>(r)], [&](std::int64_t i) { return value(r, i); }, "all_gather");
    }
  }
}

TEST_P(CollectivesTest, BroadcastFromEveryRoot) {
  for (int root = 0; root < group_->size(); ++root) {
    for (const std::int64_t size : {std::int64_t{0}, std::int64_t{1}, kSlot, kRing + 1}) {
      std::vector<float> v = values(group_->rank(), size);
      group_->broadcast(*stream_, view(v), root);
      stream_->synchronize();
      EXPECT_EQ(v, values(root, size)) << "root " << root << " size " << size;
    }
  }
}

TEST_P(CollectivesTest, EveryTypeMoves) {
  const auto last = group_->size() - 1;
  std::vector<BFloat16> v(5, {static_cast<std::uint16_t>(100 + group_->rank())});
  group_->broadcast(*stream_, vector_view(v.data(), 5), last);
  stream_->synchronize();
  for (const BFloat16 x : v) EXPECT_EQ(x.bits, 100 + last);
}

TEST_P(CollectivesTest, ShiftOfUnequalLengths) {
  const int ranks = group_->size();
  for (int distance = -ranks; distance <= ranks; ++distance) {
    for (const std::int64_t unit : {std::int64_t{0}, std::int64_t{1}, kSlot - 16, kSlot, 5 * kSlot}) {
      const int from = ((group_->rank() - distance) % ranks + ranks) % ranks;
      std::vector<float> out = values(group_->rank(), unit * (group_->rank() % 3));
      std::vector<float> in(static_cast<std::size_t>(unit * (from % 3)));
      shift(*group_, *stream_, view(out), view(in), distance);
      stream_->synchronize();
      EXPECT_EQ(in, values(from, unit * (from % 3))) << "distance " << distance << " unit " << unit;
    }
  }
}

TEST_P(CollectivesTest, MixedOperationsKeepTheirOrder) {
  const int ranks = group_->size();
  const std::int64_t size = ranks * 20001;
  const std::vector<std::int64_t> counts(static_cast<std::size_t>(ranks), 20001);
  std::vector<float> v(static_cast<std::size_t>(size), 1.0F);
  std::vector<float> moved(v.size());
  std::vector<float> small(3, 1.0F);
  for (int times = 0; times < 4; ++times) {
    group_->reduce_scatter(*stream_, view(v), counts, Reduction::sum);
    group_->all_gather(*stream_, view(v), counts);
    shift(*group_, *stream_, view(v), view(moved), 1);
    group_->all_reduce(*stream_, view(small), Reduction::sum);
    group_->all_reduce(*stream_, view(moved), Reduction::max);
    group_->broadcast(*stream_, view(moved), times % ranks);
    shift(*group_, *stream_, view(moved), view(v), -1);
  }
  stream_->synchronize();
  float expected = 1;
  for (int times = 0; times < 4; ++times) expected *= static_cast<float>(ranks);
  expect(
      v, {0, size}, [&](std::int64_t) { return expected; }, "data");
  expect(
      small, {0, 3}, [&](std::int64_t) { return expected; }, "three elements");
}

TEST_P(CollectivesTest, TwoGroupsAtOnce) {
  const auto other = make_group();
  const auto other_stream = device_->make_stream(StreamUse::communication);
  std::vector<float> a(300001, 1.0F);
  std::vector<float> b(200003, 2.0F);
  // Ranks enqueue the two in different orders. This works because neither waits for the other.
  for (int times = 0; times < 3; ++times) {
    const auto first = [&] { group_->all_reduce(*stream_, view(a), Reduction::sum); };
    const auto second = [&] { other->all_reduce(*other_stream, view(b), Reduction::sum); };
    if (group_->rank() % 2 == 0) {
      first();
      second();
    } else {
      second();
      first();
    }
  }
  stream_->synchronize();
  other_stream->synchronize();
  const auto cube = static_cast<float>(group_->size() * group_->size() * group_->size());
  expect(
      a, {0, 300001}, [&](std::int64_t) { return cube; }, "first");
  expect(
      b, {0, 200003}, [&](std::int64_t) { return 2 * cube; }, "second");
}

TEST_P(CollectivesTest, PartsOfASplitGroupKeepTheirHosts) {
  const auto part = group_->split(group_->rank() % 2, group_->rank());
  std::vector<float> v(100000, 1.0F);
  part->all_reduce(*stream_, view(v), Reduction::sum);
  stream_->synchronize();
  expect(
      v, {0, 100000}, [&](std::int64_t) { return static_cast<float>(part->size()); }, "part");
}

INSTANTIATE_TEST_SUITE_P(Hosts, CollectivesTest, ::testing::ValuesIn(test::kHosts), test::name_of_hosts);

}  // namespace
}  // namespace recombine
