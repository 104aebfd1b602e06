#include "distributed/nccl/unfinished_calls.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace recombine::nccl {
namespace {

struct End final : EventState {
  void synchronize() override {}
  bool done() override { return is_done; }
  bool is_done = false;
};

constexpr double kLimit = 10;

TEST(UnfinishedCalls, AQueuedCallIsNotLateBecauseItWaitedForTheOneBefore) {
  UnfinishedCalls calls;
  const auto first = std::make_shared<End>();
  const auto second = std::make_shared<End>();
  calls.add({.name = "first", .end = first, .enqueued = 0});
  calls.add({.name = "second", .end = second, .enqueued = 0});
  EXPECT_EQ(calls.find_late(9, kLimit), nullptr);
  first->is_done = true;
  EXPECT_EQ(calls.find_late(9.5, kLimit), nullptr);
  EXPECT_EQ(calls.find_late(19, kLimit), nullptr) << "the second call began at 9.5";
  EXPECT_STREQ(calls.find_late(20, kLimit), "second");
  second->is_done = true;
  EXPECT_EQ(calls.find_late(30, kLimit), nullptr);
}

TEST(UnfinishedCalls, ACallAfterAPauseHasItsWholeTime) {
  UnfinishedCalls calls;
  const auto end = std::make_shared<End>();
  calls.add({.name = "only", .end = end, .enqueued = 100});
  EXPECT_EQ(calls.find_late(109, kLimit), nullptr);
  EXPECT_STREQ(calls.find_late(111, kLimit), "only");
}

}  // namespace
}  // namespace recombine::nccl
