// On each route, a rank that waits for a late one sleeps: it uses CPU time during a small part of its wait only.
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <mpi.h>

#include "distributed/host_shared.hpp"
#include "distributed/mpi/mpi_communicator.hpp"
#include "tests/support/cpu_time.hpp"
#include "tests/support/rank_test.hpp"

namespace recombine {
namespace {

constexpr double kWait = 0.6;          // seconds that rank 0 is late
constexpr double kLargestShare = 0.4;  // CPU seconds per second of wait

class WaitsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test::session().size() == 1) GTEST_SKIP() << "one rank waits for nobody";
  }

  /// Rank 0 calls `collective` late. The other ranks must sleep until then.
  static void expect_sleep(const std::function<void()>& collective) {
    collective();  // the first call also sets things up
    MPI_Barrier(MPI_COMM_WORLD);
    if (test::session().rank() == 0) std::this_thread::sleep_for(std::chrono::duration<double>(kWait));
    const double before = test::cpu_seconds();
    collective();
    const double ran = test::cpu_seconds() - before;
    if (test::session().rank() == 0) return;
    EXPECT_LT(ran, kLargestShare * kWait) << "s of CPU time in a wait of " << kWait;
  }

  static std::unique_ptr<mpi::MpiCommunicator> make_group(std::optional<int> host) {
    MPI_Comm comm = MPI_COMM_NULL;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    return std::make_unique<mpi::MpiCommunicator>(comm, mpi::MpiCommunicator::Options{.host = host});
  }

  static void expect_sleep_in_all_reduce(std::optional<int> host, Progress progress, std::int64_t size) {
    const auto device = make_device({.progress = progress});
    const auto stream = device->make_stream(StreamUse::communication);
    const auto group = make_group(host);
    const Buffer data = group->allocate(*device, DataType::f32, size, MemoryUse::buffers);
    std::fill_n(data.view().as<float>(), size, 1.0F);
    expect_sleep([&] {
      group->all_reduce(*stream, data.view(), Reduction::max);
      stream->synchronize();
    });
    EXPECT_EQ(data.view().as<float>()[size - 1], 1.0F);
  }
};

constexpr std::int64_t kLittle = 100;
constexpr std::int64_t kMuch = 300000;

TEST_F(WaitsTest, SleepsInSlotsOfSharedMemory) { expect_sleep_in_all_reduce({}, Progress::thread, kLittle); }
TEST_F(WaitsTest, SleepsIfRanksReadEachOthersMemory) { expect_sleep_in_all_reduce({}, Progress::thread, kMuch); }
TEST_F(WaitsTest, SleepsOnAnInlineStream) {
  expect_sleep_in_all_reduce({}, Progress::synchronous, kLittle);
  expect_sleep_in_all_reduce({}, Progress::synchronous, kMuch);
}
TEST_F(WaitsTest, SleepsBetweenHosts) {
  expect_sleep_in_all_reduce(test::session().rank(), Progress::thread, kLittle);
  expect_sleep_in_all_reduce(test::session().rank(), Progress::synchronous, kLittle);
}

TEST_F(WaitsTest, TheEngineSleepsWhileTheHostComputes) {
  const auto device = make_device({});
  const auto stream = device->make_stream(StreamUse::communication);
  const auto group = make_group({});
  std::vector<float> data(kMuch, 1.0F);
  expect_sleep([&] {
    group->all_reduce(*stream, vector_view(data.data(), kMuch), Reduction::max);
    const Event summed = stream->record();
    while (!summed->done()) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // as if it computed
  });
}

TEST_F(WaitsTest, SleepsInBlockingCallsOfOpenMpi) {
  expect_sleep([] { test::session().on_every_rank(true); });
  expect_sleep([] {
    MPI_Comm part = MPI_COMM_NULL;
    MPI_Comm_split(MPI_COMM_WORLD, 0, 0, &part);
    MPI_Comm_free(&part);
  });
  HostShared memory(test::session(), 8);
  expect_sleep([&] { memory.synchronize(); });
}

}  // namespace
}  // namespace recombine
