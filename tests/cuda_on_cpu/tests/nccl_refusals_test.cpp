// Calls that the stand-in for NCCL must refuse.
#include <cstdlib>

#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/cuda_on_cpu/tests/nccl_fixture.hpp"

namespace emulated::test {

namespace {

using ::testing::HasSubstr;

/// Runs `body` on two ranks. emulated::fail must end them with `text`.
void expect_failure(const std::string& text, const std::function<void(const Rank&)>& body) {
  const Outcome outcome = run_ranks(2, body);
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_THAT(outcome.output, HasSubstr("cuda_on_cpu: NCCL: " + text));
}

TEST(NcclRefusals, RefusesDifferentCollectivesOnTwoRanks) {
  expect_failure("rank 1 calls ncclBroadcast(4 x float32, root 1), rank 0 ncclAllReduce(5 x float32, sum)",
                 [](const Rank& rank) {
                   const Member member(rank);
                   const DeviceArray<float> x(5);
                   if (rank.rank == 0) {
                     ncclAllReduce(x.data(), x.data(), 5, ncclFloat32, ncclSum, member, member.stream());
                   } else {
                     ncclBroadcast(x.data(), x.data(), 4, ncclFloat32, 1, member, member.stream());
                   }
                   member.stream().synchronize();
                 });
}

TEST(NcclRefusals, RefusesASendAndAReceiveOfDifferentLengths) {
  expect_failure("rank 0 calls ncclSend(3 x float32), rank 1 ncclRecv(4 x float32)", [](const Rank& rank) {
    const Member member(rank);
    const DeviceArray<float> x(4);
    if (rank.rank == 0) {
      ncclSend(x.data(), 3, ncclFloat32, 1, member, member.stream());
    } else {
      ncclRecv(x.data(), 4, ncclFloat32, 0, member, member.stream());
    }
    member.stream().synchronize();
  });
}

TEST(NcclRefusals, RefusesCallsThatAreNotEmulated) {
  expect_failure("a group over several streams is not emulated", [](const Rank& rank) {
    const Member member(rank);
    const Stream other;
    const DeviceArray<float> x(1);
    ncclGroupStart();
    ncclAllReduce(x.data(), x.data(), 1, ncclFloat32, ncclSum, member, member.stream());
    ncclAllReduce(x.data(), x.data(), 1, ncclFloat32, ncclSum, member, other);
    ncclGroupEnd();
  });
  expect_failure("data type 6 is not emulated", [](const Rank& rank) {
    const Member member(rank);
    ncclAllReduce(nullptr, nullptr, 0, ncclFloat16, ncclSum, member, member.stream());
  });
  expect_failure("reduction 1 is not emulated", [](const Rank& rank) {
    const Member member(rank);
    ncclAllReduce(nullptr, nullptr, 0, ncclFloat32, ncclProd, member, member.stream());
  });
  expect_failure("ncclAllReduce(1 x float32, sum): what is received is the host's memory", [](const Rank& rank) {
    const Member member(rank);
    const DeviceArray<float> x(1);
    float y = 0;
    ncclAllReduce(x.data(), &y, 1, ncclFloat32, ncclSum, member, member.stream());
  });
  expect_failure("a send to oneself needs its receive in the same group", [](const Rank& rank) {
    const Member member(rank);
    const DeviceArray<float> x(1);
    ncclSend(x.data(), 1, ncclFloat32, rank.rank, member, member.stream());
  });
}

/// Two communicators of each rank's GPU sum on two streams. Rank 1 comes late, so the first sum of rank 0 is unfinished.
void sum_in_two_communicators(const Rank& rank) {
  const Member member(rank);
  ncclComm_t other = nullptr;
  EXPECT_EQ(ncclCommSplit(member, 0, rank.rank, &other, nullptr), ncclSuccess);
  const Stream stream;
  const DeviceArray<float> x(std::vector<float>{1});
  const DeviceArray<float> y(std::vector<float>{2});
  if (rank.rank == 1) usleep(200'000);
  ncclAllReduce(x.data(), x.data(), 1, ncclFloat32, ncclSum, member, member.stream());
  ncclAllReduce(y.data(), y.data(), 1, ncclFloat32, ncclSum, other, stream);
  member.stream().synchronize();
  stream.synchronize();
  EXPECT_EQ(x.values()[0], 2);
  EXPECT_EQ(y.values()[0], 4);
  EXPECT_EQ(ncclCommDestroy(other), ncclSuccess);
}

TEST(NcclRefusals, RefusesTwoCommunicatorsOfOneDeviceWithoutAnOrder) {
  expect_failure("two communicators of one GPU have work on two streams", sum_in_two_communicators);
  const Outcome outcome = run_ranks(2, [](const Rank& rank) {
    setenv("NCCL_LAUNCH_ORDER_IMPLICIT", "1", 1);
    sum_in_two_communicators(rank);
  });
  EXPECT_TRUE(outcome.succeeded) << outcome.output;
}

TEST(NcclRefusals, RefusesTwoRanksOnOneDevice) {
  const Outcome outcome = run_ranks(2, [](const Rank& rank) {
    check(cudaSetDevice(0));
    ncclComm_t communicator = nullptr;
    EXPECT_EQ(ncclCommInitRank(&communicator, 2, rank.id, rank.rank), ncclInvalidUsage);
    EXPECT_EQ(communicator, nullptr);
    EXPECT_STREQ(ncclGetLastError(nullptr), "Duplicate GPU detected : rank 0 and rank 1 both on CUDA device 0");
  });
  EXPECT_TRUE(outcome.succeeded) << outcome.output;
}

TEST(NcclRefusals, RefusesWrongArgumentsAloneAndInAGroup) {
  const Outcome outcome = run_ranks(1, [](const Rank& rank) {
    const Member member(rank);
    const DeviceArray<float> x(1);
    EXPECT_EQ(ncclBroadcast(x.data(), x.data(), 1, ncclFloat32, 1, member, member.stream()), ncclInvalidArgument);
    EXPECT_EQ(ncclAllReduce(x.data(), nullptr, 1, ncclFloat32, ncclSum, member, member.stream()), ncclInvalidArgument);
    EXPECT_EQ(ncclGroupStart(), ncclSuccess);
    EXPECT_EQ(ncclAllReduce(x.data(), nullptr, 1, ncclFloat32, ncclSum, member, member.stream()), ncclInvalidArgument);
    EXPECT_EQ(ncclGroupEnd(), ncclInvalidArgument);
    EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage);
    EXPECT_EQ(ncclAllReduce(x.data(), x.data(), 1, ncclFloat32, ncclSum, nullptr, member.stream()),
              ncclInvalidArgument);
  });
  EXPECT_TRUE(outcome.succeeded) << outcome.output;
}

TEST(NcclAbort, EndsTheWaitOfOtherRanks) {
  const Outcome outcome = run_ranks(3, [](const Rank& rank) {
    Member member(rank);
    const DeviceArray<float> x(1);
    if (rank.rank == 1) {
      EXPECT_EQ(ncclCommAbort(member.release()), ncclSuccess);
      return;
    }
    EXPECT_EQ(ncclAllReduce(x.data(), x.data(), 1, ncclFloat32, ncclSum, member, member.stream()), ncclSuccess);
    member.stream().synchronize();
    ncclResult_t error = ncclSuccess;
    EXPECT_EQ(ncclCommGetAsyncError(member, &error), ncclSuccess);
    EXPECT_EQ(error, ncclRemoteError);
    EXPECT_EQ(ncclCommAbort(member.release()), ncclSuccess);
  });
  EXPECT_TRUE(outcome.succeeded) << outcome.output;
}

TEST(NcclAbort, EndsTheWorkOfTheAbortingRank) {
  const Outcome outcome = run_ranks(2, [](const Rank& rank) {
    Member member(rank);
    const DeviceArray<float> x(1);
    if (rank.rank == 0) ncclAllReduce(x.data(), x.data(), 1, ncclFloat32, ncclSum, member, member.stream());
    EXPECT_EQ(ncclCommAbort(member.release()), ncclSuccess);
    member.stream().synchronize();
  });
  EXPECT_TRUE(outcome.succeeded) << outcome.output;
}

}  // namespace

}  // namespace emulated::test
