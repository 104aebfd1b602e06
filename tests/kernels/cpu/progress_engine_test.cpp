#include "kernels/cpu/progress_engine.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>

#include "kernels/error.hpp"
#include "tests/support/cpu_time.hpp"

namespace recombine::cpu {
namespace {

/// Finishes once a flag is set.
class FlagTask final : public Task {
 public:
  explicit FlagTask(const std::atomic<bool>& flag) : flag_(flag) {}
  State advance() override { return finished_or_waiting(flag_); }

 private:
  const std::atomic<bool>& flag_;
};

class ProgressEngineTest : public ::testing::Test {
 protected:
  ProgressEngine engine_;
  std::unique_ptr<CpuStream> first_ = engine_.make_stream();
  std::unique_ptr<CpuStream> second_ = engine_.make_stream();
};

TEST_F(ProgressEngineTest, TasksOfAStreamRunInOrder) {
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) submit_call(*first_, [&order, i] { order.push_back(i); });
  first_->synchronize();
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST_F(ProgressEngineTest, TasksRunOnAnotherThreadWhileTheHostDoesNotWait) {
  std::thread::id thread;
  submit_call(*first_, [&] { thread = std::this_thread::get_id(); });
  const Event ran = first_->record();
  while (!ran->done()) std::this_thread::yield();
  EXPECT_NE(thread, std::this_thread::get_id());
}

/// Advances only if the thread that created it polls it.
class OwnThreadTask final : public Task {
 public:
  State advance() override { return finished_or_waiting(std::this_thread::get_id() == maker_); }

 private:
  std::thread::id maker_ = std::this_thread::get_id();
};

TEST_F(ProgressEngineTest, AWaitingHostAdvancesTasksItself) {
  first_->submit(std::make_unique<OwnThreadTask>());
  first_->synchronize();
}

TEST_F(ProgressEngineTest, TheEngineSleepsOnATaskThatTheHostWillWaitFor) {
  const auto time_to_fall_asleep = std::chrono::milliseconds(20);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(time_to_fall_asleep);
    std::thread::id thread;
    first_->host_will_wait();
    submit_call(*first_, [&] { thread = std::this_thread::get_id(); });
    std::this_thread::sleep_for(time_to_fall_asleep);
    first_->synchronize();
    EXPECT_EQ(thread, std::this_thread::get_id());
  }
  submit_call(*first_, [] {});  // the hint ends with the wait
  const Event ran = first_->record();
  while (!ran->done()) std::this_thread::yield();
}

TEST_F(ProgressEngineTest, TwoHostThreadsMayWaitAtTheSameTime) {
  std::atomic<bool> release = false;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  const auto enter = [&] {
    most = std::max<int>(most, ++running);
    --running;
  };
  first_->submit(std::make_unique<FlagTask>(release));
  for (int i = 0; i < 1000; ++i) {
    submit_call(*first_, enter);
    submit_call(*second_, enter);
  }
  std::thread other([&] { first_->synchronize(); });
  second_->synchronize();
  release = true;
  first_->synchronize();
  other.join();
  EXPECT_EQ(most, 1) << "tasks ran at the same time";
}

TEST_F(ProgressEngineTest, AShortTaskDoesNotWaitForATaskOfAnotherStream) {
  std::atomic<bool> release = false;
  first_->submit(std::make_unique<FlagTask>(release));
  bool ran = false;
  submit_call(*second_, [&] { ran = true; });
  second_->synchronize();
  EXPECT_TRUE(ran);
  release = true;
  first_->synchronize();
}

TEST_F(ProgressEngineTest, WaitDelaysTheTasksAfterIt) {
  std::atomic<bool> release = false;
  int order = 0;
  int first_at = 0;
  int second_at = 0;
  first_->submit(std::make_unique<FlagTask>(release));
  submit_call(*first_, [&] { first_at = ++order; });
  second_->wait(first_->record());
  submit_call(*second_, [&] { second_at = ++order; });
  release = true;
  second_->synchronize();
  EXPECT_EQ(first_at, 1);
  EXPECT_EQ(second_at, 2);
}

TEST_F(ProgressEngineTest, AnInlineStreamWaitsForAnEvent) {
  const auto inline_stream = make_inline_stream();
  int value = 0;
  submit_call(*first_, [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    value = 1;
  });
  inline_stream->wait(first_->record());
  EXPECT_EQ(value, 1);
}

TEST_F(ProgressEngineTest, AFailureReachesTheHostOnceAndDropsTheTasksAfterIt) {
  bool ran = false;
  std::atomic<bool> release = false;
  first_->submit(std::make_unique<FlagTask>(release));
  submit_call(*first_, [] { throw Error("broken"); });
  submit_call(*first_, [&] { ran = true; });
  release = true;
  EXPECT_THROW(first_->synchronize(), Error);
  EXPECT_FALSE(ran);
  EXPECT_NO_THROW(first_->synchronize());
  submit_call(*first_, [&] { ran = true; });
  first_->synchronize();
  EXPECT_TRUE(ran);
}

TEST_F(ProgressEngineTest, AFailureAlsoFailsTheStreamsThatWaitForIt) {
  bool ran = false;
  std::atomic<bool> release = false;
  first_->submit(std::make_unique<FlagTask>(release));
  const Event before = first_->record();
  submit_call(*first_, [] { throw Error("broken"); });
  const Event after = first_->record();
  second_->wait(after);
  submit_call(*second_, [&] { ran = true; });
  release = true;
  EXPECT_THROW(second_->synchronize(), Error);
  EXPECT_FALSE(ran) << "a task ran although the task that makes its data had failed";
  EXPECT_TRUE(before->done());
  EXPECT_THROW(after->done(), Error);
  EXPECT_THROW(first_->synchronize(), Error);
  submit_call(*first_, [&] { ran = true; });
  second_->wait(first_->record());
  second_->synchronize();
  EXPECT_TRUE(ran);
}

TEST_F(ProgressEngineTest, AWaitingHostSleepsBetweenPolls) {
  std::atomic<bool> release = false;
  const double before = test::cpu_seconds();
  first_->submit(std::make_unique<FlagTask>(release));
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    release = true;
  });
  first_->synchronize();
  other.join();
  EXPECT_LT(test::cpu_seconds() - before, 0.2);
}

TEST(InlineStreamTest, SubmitSleepsBetweenPolls) {
  std::atomic<bool> release = false;
  const auto stream = make_inline_stream();
  const double before = test::cpu_seconds();
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    release = true;
  });
  stream->submit(std::make_unique<FlagTask>(release));
  other.join();
  EXPECT_LT(test::cpu_seconds() - before, 0.2);
}

TEST(SchedYieldTest, ALoopOfSchedYieldSleeps) {
  const double before = test::cpu_seconds();
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  while (std::chrono::steady_clock::now() < end) sched_yield();
  EXPECT_LT(test::cpu_seconds() - before, 0.2);
}

TEST_F(ProgressEngineTest, DestroyingAStreamFinishesItsWork) {
  int done = 0;
  for (int i = 0; i < 10; ++i) submit_call(*first_, [&] { ++done; });
  first_.reset();
  EXPECT_EQ(done, 10);
}

}  // namespace
}  // namespace recombine::cpu
