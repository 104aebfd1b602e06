#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace recombine::cuda {

/// What is asked now and then while the host waits for a GPU: a communicator that has failed never lets its stream end,
/// and one that still compares what its ranks call holds back the host that would use the result.
class Watch {
 public:
  /// True if the host may use what the GPU has done. Throws Error if something has failed. Must not call its Watch.
  using Check = std::function<bool()>;

  /// `check` is asked as long as what is returned lives.
  [[nodiscard]] std::shared_ptr<Check> add(Check check);

  /// Whether all checks say so. @throws Error what the first check threw that failed
  bool check();

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Check>> checks_;
};

}  // namespace recombine::cuda
