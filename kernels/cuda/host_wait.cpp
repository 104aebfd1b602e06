#include "kernels/cuda/host_wait.hpp"

#include <atomic>
#include <utility>

#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/cuda/stream_words.hpp"

namespace recombine::cuda {

void StreamFailure::set(std::exception_ptr failure) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(failure);
}

void StreamFailure::rethrow() {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

/// Writes the word once the event is done or has failed, so that the GPU never waits forever.
class HostWait::Signal final : public cpu::Task {
 public:
  Signal(Event event, std::shared_ptr<StreamFailure> failure, std::uint32_t* word, std::uint32_t value)
      : event_(std::move(event)), failure_(std::move(failure)), word_(word), value_(value) {}

  State advance() override {
    try {
      if (!event_->done()) return State::waiting;
    } catch (...) {
      failure_->set(std::current_exception());
    }
    std::atomic_ref(*word_).store(value_, std::memory_order_release);
    return State::finished;
  }

 private:
  Event event_;
  std::shared_ptr<StreamFailure> failure_;
  std::uint32_t* word_;
  std::uint32_t value_;
};

HostWait::HostWait(const Gpu& gpu, std::unique_ptr<cpu::CpuStream> host, std::shared_ptr<StreamFailure> failure)
    : failure_(std::move(failure)), host_(std::move(host)) {
  gpu.use();
  check(cudaMallocHost(word_.out(), sizeof(std::uint32_t)), "cudaMallocHost of 4 bytes");
  *static_cast<std::uint32_t*>(word_.get()) = 0;
}

void HostWait::enqueue(cudaStream_t stream, const Event& event) {
  auto* const word = static_cast<std::uint32_t*>(word_.get());
  host_->submit(std::make_unique<Signal>(event, failure_, word, ++waits_));
  wait_for_word(stream, word, waits_);
}

}  // namespace recombine::cuda
