#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <utility>

namespace recombine {

/// Runs work on a separate thread. The destructor waits for it.
class BackgroundTask {
 public:
  explicit BackgroundTask(std::function<void()> work)
      : failure_(std::async(std::launch::async, [work = std::move(work)]() -> std::exception_ptr {
          try {
            work();
          } catch (...) {
            return std::current_exception();
          }
          return nullptr;
        })) {}

  bool done() const { return failure_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
  bool failed() const { return done() && failure_.get() != nullptr; }
  /// Waits for the work. @throws what the work threw
  void wait() const {
    if (failure_.get() != nullptr) std::rethrow_exception(failure_.get());
  }

 private:
  std::shared_future<std::exception_ptr> failure_;
};

}  // namespace recombine
