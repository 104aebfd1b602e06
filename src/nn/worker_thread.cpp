#include "src/nn/worker_thread.hpp"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include <sched.h>

namespace recombine {

namespace {

/// Lets this thread run on every core of the process's threads.
void use_all_cores() {
  cpu_set_t all;
  CPU_ZERO(&all);
  std::error_code ignored;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    cpu_set_t own;
    CPU_ZERO(&own);
    if (sched_getaffinity(std::atoi(thread.path().filename().c_str()), sizeof own, &own) == 0) CPU_OR(&all, &all, &own);
  }
  sched_setaffinity(0, sizeof all, &all);  // if it fails, the thread stays where it is
}

}  // namespace

WorkerThread::WorkerThread() : thread_([this] { run(); }) {}

WorkerThread::~WorkerThread() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WorkerThread::start(std::function<void()> work) {
  wait();
  {
    const std::lock_guard lock(mutex_);
    work_ = std::move(work);
  }
  changed_.notify_all();
}

void WorkerThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !work_; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void WorkerThread::run() {
  use_all_cores();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return work_ || ends_; });
    if (!work_) return;
    lock.unlock();
    std::exception_ptr failure;
    try {
      work_();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failure_ = failure;
    work_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace recombine
