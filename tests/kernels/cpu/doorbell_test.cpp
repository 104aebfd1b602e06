#include "kernels/cpu/doorbell.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "kernels/cpu/progress_engine.hpp"
#include "tests/support/cpu_time.hpp"

namespace recombine::cpu {
namespace {

/// Starts in the submitting thread, and finishes once `others` is set.
class BegunTask final : public Task {
 public:
  BegunTask(Doorbell& bell, const std::atomic<bool>& others, std::thread::id& begun_by)
      : bell_(bell), others_(others), begun_by_(begun_by) {}
  State advance() override { return finished_or_waiting(others_); }
  State begin() override {
    begun_by_ = std::this_thread::get_id();
    return advance();
  }
  Doorbell* doorbell() const override { return &bell_; }

 private:
  Doorbell& bell_;
  const std::atomic<bool>& others_;
  std::thread::id& begun_by_;
};

/// Waits until `others` is set. Then it needs many more rounds, and nobody rings for them.
class LongTask final : public Task {
 public:
  LongTask(Doorbell& bell, const std::atomic<bool>& others) : bell_(bell), others_(others) {}
  State advance() override {
    if (!others_) return State::waiting;
    return ++rounds_ < 100 ? State::ready : State::finished;
  }
  State begin() override { return State::waiting; }
  Doorbell* doorbell() const override { return &bell_; }

 private:
  Doorbell& bell_;
  const std::atomic<bool>& others_;
  int rounds_ = 0;
};

/// The doorbell outlives the engine.
class DoorbellTest : public ::testing::Test {
 protected:
  void submit() { stream_->submit(std::make_unique<BegunTask>(bell_, others_, begun_by_)); }
  void ring_after(std::chrono::milliseconds time) {
    std::this_thread::sleep_for(time);
    others_ = true;
    bell_.ring();
  }

  Doorbell bell_;
  std::atomic<bool> others_ = false;
  std::thread::id begun_by_;
  ProgressEngine engine_;
  std::unique_ptr<CpuStream> stream_ = engine_.make_stream();
  std::unique_ptr<CpuStream> second_ = engine_.make_stream();
};

TEST_F(DoorbellTest, ATaskThatTheSubmittingThreadFinishesIsDoneAtOnce) {
  others_ = true;
  submit();
  EXPECT_TRUE(stream_->record()->done());
  EXPECT_EQ(begun_by_, std::this_thread::get_id());
}

TEST_F(DoorbellTest, ARingWakesTheEngine) {
  for (int round = 0; round < 20; ++round) {
    others_ = false;
    submit();
    const Event done = stream_->record();
    EXPECT_FALSE(done->done());
    ring_after(std::chrono::milliseconds(round % 3));
    while (!done->done()) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

TEST_F(DoorbellTest, ARingWakesAHostThatWaits) {
  for (int round = 0; round < 20; ++round) {
    others_ = false;
    submit();
    std::thread other([&] { ring_after(std::chrono::milliseconds(round % 3)); });
    stream_->synchronize();
    other.join();
  }
}

TEST_F(DoorbellTest, NoThreadSleepsWhileATaskCanContinue) {
  const auto inline_stream = make_inline_stream();
  const auto run = [&](const std::function<void()>& finish) {
    others_ = false;
    std::thread other([&] { ring_after(std::chrono::milliseconds(5)); });
    finish();
    other.join();
  };
  const auto task = [&] { return std::make_unique<LongTask>(bell_, others_); };
  run([&] {
    stream_->submit(task());
    stream_->synchronize();
  });
  run([&] {
    stream_->submit(task());
    const Event done = stream_->record();
    while (!done->done()) std::this_thread::sleep_for(std::chrono::microseconds(100));
  });
  run([&] { inline_stream->submit(task()); });
}

TEST_F(DoorbellTest, ARingAlsoContinuesAStreamThatWaitsForTheFirstStream) {
  submit();
  second_->wait(stream_->record());
  bool ran = false;
  submit_call(*second_, [&] { ran = true; });
  const Event done = second_->record();
  ring_after(std::chrono::milliseconds(1));
  while (!done->done()) std::this_thread::sleep_for(std::chrono::microseconds(100));
  EXPECT_TRUE(ran);
}

TEST_F(DoorbellTest, AWaitingHostSleeps) {
  const double before = test::cpu_seconds();
  submit();
  std::thread other([&] { ring_after(std::chrono::milliseconds(500)); });
  stream_->synchronize();
  other.join();
  EXPECT_LT(test::cpu_seconds() - before, 0.2);
}

}  // namespace
}  // namespace recombine::cpu
