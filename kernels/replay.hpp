#pragma once

#include <functional>
#include <utility>

namespace recombine {

/// Work that is enqueued again and again.
class Replay {
 public:
  virtual ~Replay() = default;
  virtual void run() = 0;
};

/// Enqueues its work again in every run.
class ReplayByCalls final : public Replay {
 public:
  explicit ReplayByCalls(std::function<void()> enqueue) : enqueue_(std::move(enqueue)) {}
  void run() override { enqueue_(); }

 private:
  std::function<void()> enqueue_;
};

}  // namespace recombine
