#include "distributed/mpi/host/steps.hpp"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace recombine::mpi {
namespace {

using State = cpu::Task::State;

/// Makes its steps, but moves no data.
class CountingTask final : public StepsTask {
 public:
  CountingTask(Channel& channel, std::int64_t steps) : StepsTask(channel, steps, Call()) {}

 private:
  void fill_step(std::int64_t /*step*/) override {}
  void take_step(std::int64_t /*step*/) override {}
};

class StepsTest : public ::testing::Test {
 protected:
  Channel channel_of_rank(std::size_t rank) { return {rank, {segments_[0].get(), segments_[1].get()}}; }

  std::vector<std::unique_ptr<Channel::Segment>> segments_ = [] {
    std::vector<std::unique_ptr<Channel::Segment>> segments;
    for (int r = 0; r < 2; ++r) segments.push_back(std::make_unique<Channel::Segment>());
    return segments;
  }();
};

TEST_F(StepsTest, ALongTaskIsReadyUntilItIsFinished) {
  Channel alone(0, {segments_[0].get()});
  CountingTask task(alone, 1000);
  int rounds = 0;
  State state = State::ready;
  while (state == State::ready) {
    state = task.advance();
    ++rounds;
  }
  EXPECT_EQ(state, State::finished);
  EXPECT_GT(rounds, 1) << "other streams had no turn";
}

TEST_F(StepsTest, ATaskWaitsOnlyForOthers) {
  Channel own = channel_of_rank(0);
  Channel others = channel_of_rank(1);
  CountingTask task(own, 20);
  CountingTask other(others, 20);
  State state = task.advance();
  EXPECT_EQ(state, State::waiting) << "all its slots are full, so it must wait";
  State other_state = other.advance();
  EXPECT_EQ(other_state, State::waiting) << "it has read all full slots, so it must wait";
  for (int round = 0; round < 20; ++round) {
    if (state != State::finished) state = task.advance();
    if (other_state != State::finished) other_state = other.advance();
  }
  EXPECT_EQ(state, State::finished);
  EXPECT_EQ(other_state, State::finished);
}

}  // namespace
}  // namespace recombine::mpi
