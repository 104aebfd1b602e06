#include "src/nn/step_ring.hpp"

#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include <gtest/gtest.h>

#include "kernels/cpu/cpu_stream.hpp"
#include "tests/support/math_test.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

class StepRingTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  RankContext context_{Mesh(world_->size(), 1, 1), *world_, *device_, test::collectives()};
  StepRing ring_{context_};
};

/// Each step reads its own input and adds to its own sums, also after a flush and if the ring is full.
TEST_F(StepRingTest, EachStepHasItsInputAndItsSums) {
  constexpr std::int64_t kRows = 1000;
  const auto values = test::random_values(StepRing::kMostSteps, 1);
  const Buffer x = test::on_device(*device_, context_.compute(), test::view_of(values));
  const Buffer rows(*device_, DataType::i64, StepRing::kMostSteps);
  for (const std::size_t steps : {std::size_t{3}, StepRing::kMostSteps, std::size_t{1}}) {
    const Permutation order(kRows, 7, steps);
    for (std::size_t s = 0; s < steps; ++s) {
      const auto at = static_cast<std::int64_t>(s);
      ring_.push({.order = {order, 10 * at}});
      ring_.begin();
      context_.math().batch_rows(
          context_.compute(),
          {.order = &ring_.current()->input.order, .first = 5, .rows = rows.view().range(at, at + 1)});
      context_.math().add_square_sum(context_.compute(), x.view().range(at, at + 1),
                                     &ring_.current()->sums.gradient_square_sum);
      ring_.add({.step = at + 1, .rows = 1, .gradient_norm = 0.0});
    }
    EXPECT_EQ(ring_.full(), steps == StepRing::kMostSteps);
    const std::vector<StepRecord> records = ring_.flush();
    ASSERT_EQ(records.size(), steps);
    for (std::size_t s = 0; s < steps; ++s) {
      const auto at = static_cast<std::int64_t>(s);
      EXPECT_EQ(records[s].step, at + 1);
      EXPECT_EQ(rows.view().as<std::int64_t>()[s], order(10 * at + 5));
      const double root = std::sqrt(static_cast<double>(world_->size()));
      EXPECT_NEAR(records[s].gradient_norm.value(), std::abs(values[s]) * root, 1e-6);
    }
  }
}

/// Blocks a host stream until it is opened.
class Gate final : public cpu::Task {
 public:
  explicit Gate(const std::atomic<bool>& open) : open_(open) {}
  State advance() override { return open_ ? State::finished : State::waiting; }

 private:
  const std::atomic<bool>& open_;
};

TEST_F(StepRingTest, TheHostIsAtMostTwoStepsAhead) {
  if (device_->kind() == DeviceKind::cpu) GTEST_SKIP() << "a CPU's compute stream runs inline";
  if (test::session().progress() == Progress::synchronous) GTEST_SKIP() << "needs a progress thread";
  std::atomic<bool> open = false;
  const std::unique_ptr<Stream> host = device_->make_stream(StreamUse::host);
  cpu::as_cpu_stream(*host).submit(std::make_unique<Gate>(open));
  context_.compute().wait(host->record());
  for (int step = 0; step < 2; ++step) {
    ring_.push({});
    ring_.begin();
    ring_.add({.rows = 1});
  }
  std::atomic<bool> pushed = false;
  std::thread third([&] {
    ring_.push({});
    pushed = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(pushed);
  open = true;
  third.join();
  ring_.discard();
}

}  // namespace
}  // namespace recombine
