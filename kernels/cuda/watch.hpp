#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace recombine::cuda {

/// Checks that run from time to time while the host waits for a GPU. If a communicator has failed, its stream never
/// ends; a check then ends the wait with an Error. If ranks still compare their calls, a check prolongs the wait.
class Watch {
 public:
  /// Returns true if the host may use the GPU's results. Throws an Error after a failure. Must not call its Watch.
  using Check = std::function<bool()>;

  /// Adds `check`. It runs as long as the returned pointer is alive.
  [[nodiscard]] std::shared_ptr<Check> add(Check check);

  /// True if all checks return true. @throws the Error of the first check that fails
  bool check();

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Check>> checks_;
};

}  // namespace recombine::cuda
