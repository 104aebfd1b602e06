#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace recombine {

/// A thread that does one piece of work at a time. The thread that makes it may be bound to one core, so this one may
/// run on all cores that any thread of the process may use. The destructor waits for the work.
class WorkerThread {
 public:
  WorkerThread();
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  /// Waits for the previous work; then starts `work`. @throws what the previous work threw
  void start(std::function<void()> work);
  /// Waits for the work. @throws what it threw, once
  void wait();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_;  ///< empty: nothing to do
  std::exception_ptr failure_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace recombine
