#include "kernels/cuda/gpu_memory.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/core.h>

#include "kernels/cuda/cuda_calls.hpp"

namespace recombine::cuda {

namespace {

/// CUDA allocates no memory for 0 bytes, but an empty view must have an address too.
std::size_t at_least_one(std::int64_t bytes) { return static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1)); }

/// Makes the pool keep released memory, instead of returning it to the system at every synchronisation.
void keep_released_memory(int gpu) {
  cudaMemPool_t pool = nullptr;
  check(cudaDeviceGetDefaultMemPool(&pool, gpu), "cudaDeviceGetDefaultMemPool");
  std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &everything), "cudaMemPoolSetAttribute");
}

}  // namespace

GpuMemory::GpuMemory(std::shared_ptr<Gpu> gpu)
    : gpu_(std::move(gpu)),
      allocations_(gpu_->make_stream(Priority::low)),
      releases_(gpu_->make_stream(Priority::low)) {
  keep_released_memory(gpu_->number());
}

std::byte* GpuMemory::allocate(std::int64_t bytes) {
  gpu_->use();
  void* memory = nullptr;
  check(cudaMallocAsync(&memory, at_least_one(bytes), allocations_.get()),
        fmt::format("cudaMallocAsync of {} bytes", bytes).c_str());
  gpu_->wait_for(allocations_.get());
  return static_cast<std::byte*>(memory);
}

void GpuMemory::deallocate(std::byte* memory) noexcept {
  try {
    gpu_->use();
    for (const cudaStream_t stream : gpu_->streams()) {
      EventHandle event = gpu_->take_event();
      check(cudaEventRecord(event.get(), stream), "cudaEventRecord");
      check(cudaStreamWaitEvent(releases_.get(), event.get(), 0), "cudaStreamWaitEvent");
      gpu_->give_back(std::move(event));
    }
    check(cudaFreeAsync(memory, releases_.get()), "cudaFreeAsync");
  } catch (...) {  // the GPU has failed: the next call that may throw reports it
  }
}

std::byte* GpuMemory::allocate_pinned(std::int64_t bytes) {
  gpu_->use();
  void* memory = nullptr;
  check(cudaMallocHost(&memory, at_least_one(bytes)), fmt::format("cudaMallocHost of {} bytes", bytes).c_str());
  return static_cast<std::byte*>(memory);
}

void GpuMemory::deallocate_pinned(std::byte* memory) noexcept {
  try {
    gpu_->wait_for_streams();
    check(cudaFreeHost(memory), "cudaFreeHost");
  } catch (...) {  // a stream will never end, so its memory must not be freed
  }
}

}  // namespace recombine::cuda
