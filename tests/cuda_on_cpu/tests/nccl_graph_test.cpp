// Collectives in graphs: what replays compute, and what NCCL refuses.
#include <cmath>

#include <gmock/gmock.h>

#include "tests/cuda_on_cpu/tests/nccl_fixture.hpp"

namespace emulated::test {

namespace {

using ::testing::HasSubstr;

void all_reduce(const Member& member, const Stream& stream, const DeviceArray<float>& x) {
  EXPECT_EQ(ncclAllReduce(x.data(), x.data(), x.size(), ncclFloat32, ncclSum, member, stream), ncclSuccess);
}

void expect_failure(const std::string& text, const std::function<void(const Rank&)>& body) {
  const Outcome outcome = run_ranks(2, body);
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_THAT(outcome.output, HasSubstr("cuda_on_cpu: NCCL: " + text));
}

class NcclGraph : public NcclTest {};

TEST_P(NcclGraph, EachReplayMeetsTheOtherRanks) {
  expect_success([](const Rank& rank) {
    const Member member(rank);
    const DeviceArray<float> x(std::vector<float>(30000, 1));
    const Replay replay(member.stream(), [&] { all_reduce(member, member.stream(), x); });
    EXPECT_EQ(x.values()[0], 1.0F);  // a capture runs nothing
    float sum = 1;
    for (int i = 0; i < 6; ++i) {
      replay.launch(member.stream());
      sum *= static_cast<float>(rank.ranks);
    }
    EXPECT_EQ(x.values(), std::vector<float>(30000, sum));
  });
}

TEST_P(NcclGraph, ReplaysAndCallsOutsideKeepTheirOrder) {
  expect_success([](const Rank& rank) {
    const Member member(rank);
    const Stream other;
    const DeviceArray<float> x(std::vector<float>{1});
    const DeviceArray<float> y(std::vector<float>{1, 1});
    const Replay replay(member.stream(), [&] { all_reduce(member, member.stream(), x); });
    for (int i = 0; i < 5; ++i) {
      replay.launch(member.stream());
      all_reduce(member, other, y);
    }
    const auto sum = std::pow(static_cast<float>(rank.ranks), 5.0F);
    EXPECT_EQ(x.values(), std::vector<float>(1, sum));
    EXPECT_EQ(y.values(), std::vector<float>(2, sum));
  });
}

INSTANTIATE_TEST_SUITE_P(ranks, NcclGraph, ::testing::Values(1, 2, 3));

TEST(NcclGraphRefusals, RefusesAGraphOnOneRankOnly) {
  expect_failure("rank 1 calls ncclAllReduce(1 x float32, sum) in a graph, rank 0 ncclAllReduce(1 x float32, sum)",
                 [](const Rank& rank) {
                   const Member member(rank);
                   const DeviceArray<float> x(1);
                   if (rank.rank == 0) {
                     all_reduce(member, member.stream(), x);
                   } else {
                     Replay(member.stream(), [&] { all_reduce(member, member.stream(), x); }).launch(member.stream());
                   }
                   member.stream().synchronize();
                 });
}

TEST(NcclGraphRefusals, RefusesToDestroyACommunicatorBeforeItsGraph) {
  expect_failure("ncclCommDestroy waits forever: a graph still holds its operations", [](const Rank& rank) {
    Member member(rank);
    const DeviceArray<float> x(1);
    const Replay replay(member.stream(), [&] { all_reduce(member, member.stream(), x); });
    ncclCommDestroy(member.release());
  });
}

TEST(NcclGraphRefusals, AnInvalidCaptureHoldsNothing) {
  const Outcome outcome = run_ranks(2, [](const Rank& rank) {
    Member member(rank);
    const DeviceArray<float> x(1);
    cudaGraph_t graph = nullptr;
    check(cudaStreamBeginCapture(member.stream(), cudaStreamCaptureModeThreadLocal));
    all_reduce(member, member.stream(), x);
    EXPECT_EQ(cudaStreamQuery(member.stream()), cudaErrorStreamCaptureUnsupported);
    EXPECT_EQ(ncclAllReduce(x.data(), x.data(), 1, ncclFloat32, ncclSum, member, member.stream()),
              ncclUnhandledCudaError);
    EXPECT_EQ(cudaStreamEndCapture(member.stream(), &graph), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(graph, nullptr);
    EXPECT_EQ(ncclCommDestroy(member.release()), ncclSuccess);
  });
  EXPECT_TRUE(outcome.succeeded) << outcome.output;
}

}  // namespace

}  // namespace emulated::test
