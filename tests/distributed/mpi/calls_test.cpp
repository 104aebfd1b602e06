#include "distributed/mpi/host/calls.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

/// Three ranks of one host, simulated in one thread.
class CallsTest : public ::testing::Test {
 protected:
  mpi::Calls& rank(std::size_t r) { return ranks_[r]; }
  static Signature call(std::uint64_t sequence, std::int64_t count) {
    return {.sequence = sequence, .count = count, .operation = Operation::all_reduce, .type = DataType::f32};
  }

  std::vector<mpi::Calls::Board> boards_ = std::vector<mpi::Calls::Board>(3);
  std::vector<mpi::Calls::Board*> pointers_ = {&boards_[0], &boards_[1], &boards_[2]};
  std::vector<mpi::Calls> ranks_ = {{0, pointers_, {0, 4, 7}}, {1, pointers_, {0, 4, 7}}, {2, pointers_, {0, 4, 7}}};
};

TEST_F(CallsTest, AgreeOnceAllRanksHaveShownTheirCalls) {
  for (std::uint64_t n = 0; n < 5; ++n) {
    rank(0).show(call(n, 5), {});
    rank(1).show(call(n, 5), {});
    EXPECT_FALSE(rank(0).agreed());
    rank(2).show(call(n, 5), {});
    for (std::size_t r = 0; r < 3; ++r) EXPECT_TRUE(rank(r).agreed());
  }
}

TEST_F(CallsTest, ADifferenceBetweenTwoRanksFailsBeforeTheThirdCalls) {
  rank(2).show(call(0, 5), {});
  rank(1).show(call(0, 6), {});
  try {
    rank(1).agreed();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "rank 4 calls all_reduce of 6 f32 (sum), but rank 7 calls all_reduce of 5 f32 (sum), as call 1 of a group "
        "of 3 ranks; expected the same calls in the same order on every rank");
  }
  EXPECT_THROW(rank(2).agreed(), Error);
  EXPECT_THROW(rank(1).show(call(1, 5), {}), Error);
}

TEST_F(CallsTest, ARankMayBeOneCallAheadOfTheOthers) {
  for (std::size_t r = 0; r < 3; ++r) rank(r).show(call(0, 5), {});
  EXPECT_TRUE(rank(0).agreed());
  rank(0).show(call(1, 6), {});
  EXPECT_TRUE(rank(1).agreed());
  EXPECT_TRUE(rank(2).agreed());
  EXPECT_FALSE(rank(0).agreed());
}

TEST_F(CallsTest, DifferentPlacesInCommonMemoryAreDifferentCalls) {
  rank(0).show(call(0, 5), {.memory = 2, .offset = 64});
  rank(1).show(call(0, 5), {.memory = 2, .offset = 128});
  rank(2).show(call(0, 5), {});
  for (std::size_t r = 0; r < 3; ++r) EXPECT_THROW(rank(r).agreed(), Error);
}

}  // namespace
}  // namespace recombine
