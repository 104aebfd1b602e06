#include "kernels/cuda/gpu.hpp"

#include <cstdint>
#include <utility>

#include "kernels/cpu/patience.hpp"
#include "kernels/cuda/cuda_calls.hpp"

namespace recombine::cuda {

namespace {

constexpr std::int64_t kPollsPerCheck = 64;

}  // namespace

Gpu::Gpu(int number) : number_(number) { check(cudaSetDevice(number), "cudaSetDevice"); }

void Gpu::use() const { use_gpu(number_); }

StreamHandle Gpu::make_stream(Priority priority) const {
  use();
  int least = 0;
  int greatest = 0;
  check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange");
  StreamHandle stream;
  const int level = priority == Priority::high ? greatest : priority == Priority::low ? least : (least + greatest) / 2;
  check(cudaStreamCreateWithPriority(stream.out(), cudaStreamNonBlocking, level), "cudaStreamCreateWithPriority");
  return stream;
}

void Gpu::add_stream(cudaStream_t stream) {
  const std::lock_guard lock(mutex_);
  streams_.push_back(stream);
}

void Gpu::remove_stream(cudaStream_t stream) {
  const std::lock_guard lock(mutex_);
  std::erase(streams_, stream);
}

std::vector<cudaStream_t> Gpu::streams() {
  const std::lock_guard lock(mutex_);
  return streams_;
}

EventHandle Gpu::take_event() {
  {
    const std::lock_guard lock(mutex_);
    if (!events_.empty()) {
      EventHandle event = std::move(events_.back());
      events_.pop_back();
      return event;
    }
  }
  use();
  EventHandle event;
  check(cudaEventCreateWithFlags(event.out(), cudaEventDisableTiming), "cudaEventCreateWithFlags");
  return event;
}

void Gpu::give_back(EventHandle event) noexcept {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
}

void Gpu::wait_until(const std::function<bool()>& ready) {
  // Check also when `ready` is true: after an aborted communicator the stream ends too, but without a result.
  cpu::Patience patience;
  for (std::int64_t poll = 1; !(ready() && watch_.check()); ++poll) {
    if (poll % kPollsPerCheck == 0) watch_.check();
    patience.wait();
  }
}

void Gpu::wait_for(cudaStream_t stream) {
  use();
  wait_until([&] { return is_ready(cudaStreamQuery(stream), "cudaStreamQuery"); });
}

void Gpu::wait_for_streams() {
  for (const cudaStream_t stream : streams()) wait_for(stream);
}

}  // namespace recombine::cuda
