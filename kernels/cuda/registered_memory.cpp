#include "kernels/cuda/registered_memory.hpp"

#include <utility>

#include <fmt/core.h>

#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/error.hpp"

namespace recombine::cuda {

RegisteredMemory::RegisteredMemory(std::shared_ptr<Gpu> gpu, std::span<std::byte> memory)
    : gpu_(std::move(gpu)), memory_(memory.data()) {
  gpu_->use();
  check(cudaHostRegister(memory_, memory.size(), cudaHostRegisterDefault),
        fmt::format("cudaHostRegister of {} bytes", memory.size()).c_str());
  void* on_gpu = nullptr;
  if (cudaHostGetDevicePointer(&on_gpu, memory_, 0) == cudaSuccess && on_gpu == memory_) return;
  static_cast<void>(cudaGetLastError());
  check(cudaHostUnregister(memory_), "cudaHostUnregister");
  throw Error("the GPU sees pinned host memory at another address than the host; expected the same address");
}

RegisteredMemory::~RegisteredMemory() {
  try {
    gpu_->wait_for_streams();
    check(cudaHostUnregister(memory_), "cudaHostUnregister");
  } catch (...) {  // a stream will never end, so its memory stays pinned
  }
}

}  // namespace recombine::cuda
