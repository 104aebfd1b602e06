// Collectives on memory that the ranks of a host share. Sizes are near those of a chunk, and data start at any element.
#include "distributed/mpi/host/common_memory.hpp"

#include <vector>

#include <gtest/gtest.h>
#include <mpi.h>
#include <sys/resource.h>

#include "distributed/mesh.hpp"
#include "distributed/mpi/mpi_communicator.hpp"
#include "kernels/error.hpp"
#include "tests/support/rank_test.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kChunk = 4096;  // f32 elements that are summed at a time
constexpr std::int64_t kLargest = 600001;
constexpr std::int64_t kSpare = 64;  // elements after the largest data: no call may touch them
const std::vector<std::int64_t> kSizes = {0,       1, 7, 2 * kChunk - 1, 2 * kChunk, 2 * kChunk + 1, 16 * kChunk + 3,
                                          kLargest};
const std::vector<std::int64_t> kOffsets = {0, 1, 3, 16, 17};

/// Values differ from call to call, so that the result of an earlier call cannot be mistaken for the right one.
template <class T>
T value(std::int64_t call, int rank, std::int64_t i) {
  return static_cast<T>((i * 7 + call) % 13 * (rank + 1));
}
template <class T>
T sum_of(std::int64_t call, int ranks, std::int64_t i) {
  return static_cast<T>(value<std::int64_t>(call, 0, i) * ranks * (ranks + 1) / 2);
}

class CommonMemoryTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = make_device({.progress = test::session().progress()});
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::communication);
  std::unique_ptr<Communicator> group_ = make_world(test::session());
  int ranks_ = group_->size();
  int rank_ = group_->rank();
  std::int64_t call_ = 0;

  template <class T>
  Buffer memory() const {
    return group_->allocate(*device_, data_type_of<T>, kLargest + kOffsets.back() + kSpare, MemoryUse::buffers);
  }
  template <class T>
  VectorView fill(const Buffer& memory, std::int64_t offset, std::int64_t size) {
    ++call_;
    T* const all = memory.view().as<T>();
    for (std::int64_t i = 0; i < memory.view().size; ++i) all[i] = value<T>(call_, rank_, i - offset + 1000);
    return memory.view().range(offset, offset + size);
  }
  /// Expects sums in elements [own.begin, own.end) of the data, and no change of the memory around the data.
  template <class T>
  void expect_sums(const Buffer& memory, std::int64_t offset, std::int64_t size, Range own) const {
    const T* const all = memory.view().as<T>();
    for (std::int64_t i = own.begin; i < own.end; ++i) {
      ASSERT_EQ(all[offset + i], sum_of<T>(call_, ranks_, i + 1000)) << size << " from " << offset << ", element " << i;
    }
    for (std::int64_t i = 0; i < memory.view().size; ++i) {
      if (i == offset) i += size;
      ASSERT_EQ(all[i], value<T>(call_, rank_, i - offset + 1000))
          << size << " from " << offset << ", outside the data at " << i;
    }
  }
  std::vector<std::int64_t> uneven_counts(std::int64_t size) const {  // the first of three or more ranks has none
    const int owners = ranks_ > 2 ? ranks_ - 1 : ranks_;
    std::vector<std::int64_t> counts(static_cast<std::size_t>(ranks_ - owners));
    for (int r = 0; r < owners; ++r) counts.push_back(split_range(size, owners, r).size());
    return counts;
  }
  Range own_range(const std::vector<std::int64_t>& counts) const {
    std::int64_t begin = 0;
    for (int r = 0; r < rank_; ++r) begin += counts[static_cast<std::size_t>(r)];
    return {begin, begin + counts[static_cast<std::size_t>(rank_)]};
  }

  template <class T>
  void check_all() {
    const Buffer whole = memory<T>();
    for (const std::int64_t size : kSizes) {
      for (const std::int64_t offset : kOffsets) {
        group_->all_reduce(*stream_, fill<T>(whole, offset, size), Reduction::sum);
        stream_->synchronize();
        expect_sums<T>(whole, offset, size, {0, size});

        const auto counts = uneven_counts(size);
        const VectorView data = fill<T>(whole, offset, size);
        group_->reduce_scatter(*stream_, data, counts, Reduction::sum);
        stream_->synchronize();
        expect_sums<T>(whole, offset, size, own_range(counts));
        group_->all_gather(*stream_, data, counts);
        stream_->synchronize();
        expect_sums<T>(whole, offset, size, {0, size});
      }
    }
  }
};

TEST_F(CommonMemoryTest, CollectivesOnF32) { check_all<float>(); }
TEST_F(CommonMemoryTest, CollectivesOnF64) { check_all<double>(); }
TEST_F(CommonMemoryTest, CollectivesOnI32) { check_all<std::int32_t>(); }

TEST_F(CommonMemoryTest, AllReduceTakesTheMaximum) {
  const Buffer whole = memory<float>();
  const VectorView data = fill<float>(whole, 3, 100001);
  group_->all_reduce(*stream_, data, Reduction::max);
  stream_->synchronize();
  for (std::int64_t i = 0; i < data.size; ++i) {
    ASSERT_EQ(data.as<float>()[i], value<float>(call_, ranks_ - 1, i + 1000)) << "element " << i;
  }
}

TEST_F(CommonMemoryTest, SumsHaveTheSameBitsAsInOtherMemory) {
  const Buffer here = memory<float>();
  const Buffer elsewhere(*device_, DataType::f32, kLargest);
  for (std::int64_t i = 0; i < kLargest; ++i) {
    const float x = 1.0F / static_cast<float>((i * 31 + rank_ * 17) % 1009 + 1);
    here.view().as<float>()[i] = x;
    elsewhere.view().as<float>()[i] = x;
  }
  const VectorView data = here.view().range(0, kLargest);
  group_->all_reduce(*stream_, data, Reduction::sum);
  group_->all_reduce(*stream_, elsewhere.view(), Reduction::sum);
  stream_->synchronize();
  for (std::int64_t i = 0; i < kLargest; ++i) {
    ASSERT_EQ(data.as<float>()[i], elsewhere.view().as<float>()[i]) << "element " << i;
  }
}

TEST_F(CommonMemoryTest, QueuedCallsKeepTheirOrder) {
  const Buffer first = memory<double>();
  const Buffer second = memory<double>();
  for (const Buffer* buffer : {&first, &second}) std::fill_n(buffer->view().as<double>(), buffer->view().size, 1.0);
  double expected = 1;
  for (int times = 0; times < 8; ++times) {
    for (const Buffer* buffer : {&second, &first}) {
      group_->all_reduce(*stream_, buffer->view().range(5, 300000), Reduction::sum);
    }
    expected *= ranks_;
  }
  stream_->synchronize();
  for (const Buffer* buffer : {&first, &second}) {
    EXPECT_EQ(buffer->view().as<double>()[5], expected);
    EXPECT_EQ(buffer->view().as<double>()[299999], expected);
    EXPECT_EQ(buffer->view().as<double>()[4], 1);
  }
}

TEST_F(CommonMemoryTest, OneRankMayFreeItBeforeTheOthers) {
  for (int times = 0; times < 3; ++times) {
    auto old = std::make_unique<Buffer>(memory<float>());
    const Buffer whole = memory<float>();
    if (rank_ % 2 == 0) old.reset();
    group_->all_reduce(*stream_, fill<float>(whole, 0, kLargest), Reduction::sum);
    stream_->synchronize();
    expect_sums<float>(whole, 0, kLargest, {0, kLargest});
  }
}

TEST_F(CommonMemoryTest, DifferentPlacesOnDifferentRanksAreRefused) {
  if (ranks_ == 1) GTEST_SKIP() << "needs two ranks";
  const Buffer whole = memory<float>();
  const VectorView data = whole.view().range(rank_, rank_ + 100000);
  group_->all_reduce(*stream_, data, Reduction::sum);
  EXPECT_THROW(stream_->synchronize(), Error);
}

/// While it exists, this rank cannot open files.
class NoFiles {
 public:
  NoFiles() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoFiles() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(CommonMemoryTest, IfOneRankCannotOpenItAllRanksUseOtherMemory) {
  {
    std::unique_ptr<NoFiles> none;
    if (rank_ == ranks_ - 1) none = std::make_unique<NoFiles>();
    EXPECT_EQ(mpi::CommonMemory::make(MPI_COMM_WORLD, 1 << 20), nullptr);
  }
  EXPECT_NE(mpi::CommonMemory::make(MPI_COMM_WORLD, 1 << 20), nullptr);
  std::unique_ptr<NoFiles> none;
  if (rank_ == ranks_ - 1) none = std::make_unique<NoFiles>();
  const Buffer whole = memory<float>();
  group_->all_reduce(*stream_, fill<float>(whole, 1, 100000), Reduction::sum);
  stream_->synchronize();
  expect_sums<float>(whole, 1, 100000, {0, 100000});
}

}  // namespace
}  // namespace recombine
