#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace recombine::cuda {

/// What is asked now and then while the host waits for a GPU: a communicator that has failed never lets its stream end.
class Watch {
 public:
  /// Throws Error where something has failed. Must not call its Watch.
  using Check = std::function<void()>;

  /// `check` is asked as long as what is returned lives.
  [[nodiscard]] std::shared_ptr<Check> add(Check check);

  /// @throws Error what the first check threw that failed
  void check();

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Check>> checks_;
};

}  // namespace recombine::cuda
