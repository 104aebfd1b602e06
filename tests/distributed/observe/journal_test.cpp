#include "distributed/observe/journal.hpp"

#include <gtest/gtest.h>

#include "distributed/recombine.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

TEST(JournalTest, SumsByNameAndKeepsTheLatest) {
  Journal journal;
  journal.set_step(7);
  const std::int64_t first = journal.enqueue(
      {.what = {.name = "sum dW", .layer = 2}, .operation = "all_reduce", .bytes = 400, .bytes_sent = 200});
  const std::int64_t second = journal.enqueue({.operation = "broadcast", .axis = Axis::j, .bytes = 10});
  journal.enqueue({.what = {.name = "sum dW", .step = 3}, .operation = "all_reduce", .bytes = 600, .bytes_sent = 300});
  journal.begin(first);
  journal.end(first);
  const auto totals = journal.totals();
  ASSERT_EQ(totals.size(), 2U);
  EXPECT_EQ(totals.at("sum dW").calls, 2);
  EXPECT_EQ(totals.at("sum dW").bytes, 1000);
  EXPECT_EQ(totals.at("sum dW").bytes_sent, 500);
  EXPECT_EQ(totals.at("sum dW").timed_calls, 1);
  EXPECT_EQ(totals.at("broadcast").calls, 1);
  const std::vector<JournalEntry> latest = journal.latest();
  ASSERT_EQ(latest.size(), 3U);
  EXPECT_EQ(latest[0].what.step, 7);
  EXPECT_EQ(latest[0].what.layer, 2);
  EXPECT_GE(latest[0].done, latest[0].begun);
  EXPECT_GE(latest[0].begun, latest[0].enqueued);
  EXPECT_EQ(latest[1].id, second);
  EXPECT_EQ(latest[1].begun, 0);
  EXPECT_EQ(latest[2].what.step, 3);
}

TEST(JournalTest, DroppedEntriesLoseTheirTimesButStillCount) {
  Journal journal;
  const std::int64_t first = journal.enqueue({.what = {.name = "a"}, .operation = "all_reduce"});
  for (std::size_t e = 0; e < Journal::kLatest; ++e)
    journal.enqueue({.what = {.name = "b"}, .operation = "all_reduce"});
  journal.begin(first);
  journal.end(first);
  EXPECT_EQ(journal.totals().at("a").calls, 1);
  EXPECT_EQ(journal.totals().at("a").timed_calls, 0);
  EXPECT_EQ(journal.latest().size(), Journal::kLatest);
  EXPECT_EQ(journal.latest().front().id, 1);
}

/// Every collective of a context's communicators is in its journal, with its name, axis, bytes and, on a CPU, times.
TEST(JournalTest, HasEveryCollectiveOfAContext) {
  const auto device = test::make_test_device(test::session().progress());
  const auto world = make_world(test::session());
  RankContext context(Mesh(1, 1, world->size()), *world, *device, test::collectives());
  const Buffer buffer(*device, DataType::f32, 12);
  context.math().axpby(context.compute(), 0, {}, 0, buffer.view());
  Communicator& group = context.communicator(Axis::k);
  Stream& stream = context.after_compute(Axis::k);
  const std::vector<std::int64_t> counts = [&] {
    std::vector<std::int64_t> all(static_cast<std::size_t>(group.size()));
    all.back() = 12;
    return all;
  }();
  group.named({.name = "one"}).all_reduce(stream, buffer.view(), Reduction::sum);
  group.named({.name = "two"}).reduce_scatter(stream, buffer.view(), counts, Reduction::sum);
  group.named({.name = "three"}).all_gather(stream, buffer.view(), counts);
  group.named({.name = "four"}).broadcast(stream, buffer.view(), 0);
  group.named({.name = "five"}).exchange(stream, {}, {});
  group.broadcast(stream, buffer.view(), 0);  // a name applies to one call only
  recombine::recombine(context, {.axis = Axis::k, .data = buffer.view(), .what = {.name = "six", .layer = 4}});
  stream.synchronize();
  context.compute().synchronize();
  const std::vector<JournalEntry> latest = context.journal().latest();
  ASSERT_EQ(latest.size(), world->size() == 1 ? 6U : 7U);  // one rank has nothing to recombine
  const char* const names[] = {"one", "two", "three", "four", "five", "", "six"};
  for (std::size_t e = 0; e < latest.size(); ++e) {
    EXPECT_STREQ(latest[e].what.name, names[e]);
    EXPECT_EQ(latest[e].axis, Axis::k);
    EXPECT_EQ(latest[e].bytes, e == 4 ? 0 : 48);
    const double share = 48.0 * (world->size() - 1) / world->size();
    EXPECT_DOUBLE_EQ(latest[e].bytes_sent, e == 4 ? 0 : e == 0 || e == 6 ? 2 * share : share);
    if (world->size() == 1) continue;  // with one rank some collectives do nothing
    const bool timed = device->kind() == DeviceKind::cpu;
    EXPECT_EQ(latest[e].done > 0 && latest[e].done >= latest[e].begun && latest[e].begun >= latest[e].enqueued, timed)
        << names[e];
  }
  EXPECT_STREQ(latest[2].operation, "all_gather");
}

}  // namespace
}  // namespace recombine
