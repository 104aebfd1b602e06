#include "src/nn/worker_thread.hpp"

#include <stdexcept>

#include <gtest/gtest.h>
#include <sched.h>

namespace recombine {
namespace {

TEST(WorkerThread, DoesOneWorkAfterTheOther) {
  int value = 1;
  {
    WorkerThread worker;
    worker.wait();  // nothing to wait for
    worker.start([&] { value *= 2; });
    worker.start([&] { value += 5; });
    worker.wait();
    EXPECT_EQ(value, 7);
    worker.start([&] { value = 9; });
  }
  EXPECT_EQ(value, 9);  // the destructor waited
}

TEST(WorkerThread, ThrowsAFailureOnce) {
  WorkerThread worker;
  worker.start([] { throw std::runtime_error("no disk"); });
  EXPECT_THROW(worker.wait(), std::runtime_error);
  worker.wait();
  worker.start([] { throw std::runtime_error("no disk"); });
  EXPECT_THROW(worker.start([] {}), std::runtime_error);
}

/// A rank's main thread may be bound to one core; then the worker still uses the cores of the others.
TEST(WorkerThread, RunsOnAllCoresOfTheProcess) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  WorkerThread free_one;  // on all cores
  int cores = 0;
  const auto count = [&] {
    cpu_set_t own;
    sched_getaffinity(0, sizeof own, &own);
    cores = CPU_COUNT(&own);
  };
  free_one.start(count);
  free_one.wait();
  EXPECT_GE(cores, CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  WorkerThread worker;
  worker.start(count);
  worker.wait();
  sched_setaffinity(0, sizeof before, &before);
  EXPECT_GE(cores, CPU_COUNT(&before));
}

}  // namespace
}  // namespace recombine
