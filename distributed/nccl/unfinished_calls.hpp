#pragma once

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

#include "kernels/stream.hpp"

namespace recombine::nccl {

/// The calls of a communicator that its GPU has not finished. Calls of one communicator run one after the other, so the
/// time of a call begins when the call before it has ended, not when the host enqueues it.
class UnfinishedCalls {
 public:
  struct Call {
    const char* name = nullptr;
    Event end;
    double enqueued = 0;  ///< seconds, Session::now()
  };

  void add(Call call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  }

  /// Forgets the calls that have ended. Returns the name of the oldest one if it has been running for more than `limit`
  /// seconds at the time `now`, else null. @throws Error of a call's stream
  const char* find_late(double now, double limit) {
    const std::lock_guard lock(mutex_);
    while (!calls_.empty() && calls_.front().end->done()) {
      calls_.pop_front();
      seen_end_ = now;
    }
    if (calls_.empty()) return nullptr;
    const Call& oldest = calls_.front();
    return now - std::max(oldest.enqueued, seen_end_) > limit ? oldest.name : nullptr;
  }

 private:
  std::mutex mutex_;
  std::deque<Call> calls_;  ///< oldest first
  double seen_end_ = 0;     ///< when the last end was seen
};

}  // namespace recombine::nccl
