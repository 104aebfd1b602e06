#include "kernels/cuda/host_waits.hpp"

#include <utility>

#include "kernels/cuda/cuda_calls.hpp"

namespace recombine::cuda {

void StreamFailure::set(std::exception_ptr failure) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(failure);
}

void StreamFailure::rethrow() {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

/// One wait. It runs as a host function, which may not call CUDA or throw.
struct HostWaits::Wait {
  Event event;
  std::shared_ptr<StreamFailure> failure;
  std::shared_ptr<std::atomic<bool>> ended;

  static void run(void* argument) {
    const std::unique_ptr<Wait> wait(static_cast<Wait*>(argument));
    try {
      wait->event->synchronize();
    } catch (...) {
      wait->failure->set(std::current_exception());
    }
    wait->ended->store(true);
  }
};

void HostWaits::enqueue(cudaStream_t stream, const Event& event) {
  if (last_ended_ && last_stream_ != stream) gpu_.wait_until([&] { return last_ended_->load(); });
  auto ended = std::make_shared<std::atomic<bool>>(false);
  auto wait = std::make_unique<Wait>(Wait{event, failure_, ended});
  check(cudaLaunchHostFunc(stream, Wait::run, wait.get()), "cudaLaunchHostFunc");
  static_cast<void>(wait.release());  // run() owns it now
  last_stream_ = stream;
  last_ended_ = std::move(ended);
}

}  // namespace recombine::cuda
