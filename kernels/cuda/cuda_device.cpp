#include "kernels/cuda/cuda_device.hpp"

#include <cstring>
#include <optional>

#include "kernels/cpu/progress_engine.hpp"
#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/cuda/cuda_math.hpp"
#include "kernels/cuda/cuda_stream.hpp"
#include "kernels/cuda/gpu_memory.hpp"
#include "kernels/cuda/graph_replay.hpp"
#include "kernels/cuda/staging_ring.hpp"
#include "kernels/cuda/watch.hpp"
#include "kernels/error.hpp"

namespace recombine::cuda {

namespace {

constexpr int kOldestMajor = 8;  // the first version with bf16 tensor cores and cp.async

cudaDeviceProp properties_of(int gpu) {
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, gpu), "cudaGetDeviceProperties");
  return properties;
}

/// CUDA's type of the memory at an address.
cudaMemoryType memory_type_of(const void* memory) {
  cudaPointerAttributes attributes;
  check(cudaPointerGetAttributes(&attributes, memory), "cudaPointerGetAttributes");
  return attributes.type;
}

bool is_pageable(const void* memory) { return memory_type_of(memory) == cudaMemoryTypeUnregistered; }

void copy_on_host(cpu::CpuStream& stream, VectorView to, ConstVectorView from) {
  require(memory_type_of(to.data) != cudaMemoryTypeDevice && memory_type_of(from.data) != cudaMemoryTypeDevice,
          "a host stream cannot copy GPU memory; expected host memory");
  cpu::submit_call(stream, [=] { std::memcpy(to.data, from.data, static_cast<std::size_t>(from.bytes())); });
}

class CudaDevice final : public Device {
 public:
  CudaDevice(const DeviceOptions& options, int gpu)
      : gpu_(std::make_shared<Gpu>(gpu)),
        memory_(gpu_),
        staging_(memory_),
        math_({.kernel = options.kernel, .f32_products = options.f32_products, .gpu = gpu, .note = options.note}) {
    if (options.progress == Progress::thread) engine_.emplace();
  }

  DeviceKind kind() const override { return DeviceKind::cuda; }

  std::string description() const override {
    const cudaDeviceProp properties = properties_of(gpu_->number());
    return fmt::format("{}, compute capability {}.{}, {:.1f} GiB", properties.name, properties.major, properties.minor,
                       static_cast<double>(properties.totalGlobalMem) / (1 << 30));
  }

  std::byte* allocate(std::int64_t bytes, MemoryKind kind) override {
    return kind == MemoryKind::host ? memory_.allocate_pinned(bytes) : memory_.allocate(bytes);
  }
  void deallocate(std::byte* memory, MemoryKind kind) noexcept override {
    if (kind == MemoryKind::host) {
      memory_.deallocate_pinned(memory);
    } else {
      memory_.deallocate(memory);
    }
  }

  void copy(Stream& stream, VectorView to, ConstVectorView from) override {
    require(to.bytes() == from.bytes(), "cannot copy {} bytes to {} bytes; expected equal sizes", from.bytes(),
            to.bytes());
    if (to.size == 0) return;
    if (auto* const host = dynamic_cast<cpu::CpuStream*>(&stream)) return copy_on_host(*host, to, from);
    auto* const gpu_stream = dynamic_cast<CudaStream*>(&stream);
    require(gpu_stream != nullptr, "this stream belongs to another device; expected a stream of the GPU");
    if (is_pageable(to.data)) {
      stream.synchronize();  // CUDA would block here too, but without the checks of the Watch
    } else if (is_pageable(from.data)) {
      return staging_.copy(*gpu_stream, to.data, from.data, from.bytes());
    }
    check(cudaMemcpyAsync(to.data, from.data, static_cast<std::size_t>(from.bytes()), cudaMemcpyDefault,
                          gpu_stream->get()),
          "cudaMemcpyAsync");
  }

  std::unique_ptr<Stream> make_stream(StreamUse use) override {
    switch (use) {
      case StreamUse::compute: return make_gpu_stream(Priority::middle);
      case StreamUse::background: return make_gpu_stream(Priority::low);
      case StreamUse::communication: return make_gpu_stream(Priority::high);
      case StreamUse::host: break;
    }
    return make_host_stream();
  }

  Math& math() override { return math_; }

  std::unique_ptr<Replay> make_replay(Stream& stream, std::function<void()> enqueue) override {
    return std::make_unique<GraphReplay>(stream, std::move(enqueue));
  }

 private:
  std::unique_ptr<Stream> make_gpu_stream(Priority priority) {
    return std::make_unique<CudaStream>(gpu_, failure_, make_host_stream(), priority);
  }
  std::unique_ptr<cpu::CpuStream> make_host_stream() {
    return engine_ ? engine_->make_stream() : cpu::make_inline_stream();
  }

  std::shared_ptr<Gpu> gpu_;
  std::shared_ptr<StreamFailure> failure_ = std::make_shared<StreamFailure>();
  GpuMemory memory_;
  StagingRing staging_;
  CudaMath math_;
  std::optional<cpu::ProgressEngine> engine_;
};

}  // namespace

std::unique_ptr<Device> make_cuda_device(const DeviceOptions& options) {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  static_cast<void>(cudaGetLastError());
  require_input(result == cudaSuccess && count > 0,
                "--device cuda: this machine has no GPU (CUDA says: {}); expected --device cpu",
                result == cudaSuccess ? "0 devices" : cudaGetErrorString(result));
  const int gpu = options.local_rank % count;
  const cudaDeviceProp properties = properties_of(gpu);
  require_input(properties.major >= kOldestMajor,
                "--device cuda: GPU {} ({}) has compute capability {}.{}; expected {}.0 or newer, or --device cpu", gpu,
                properties.name, properties.major, properties.minor, kOldestMajor);
  return std::make_unique<CudaDevice>(options, gpu);
}

int device_count() {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  static_cast<void>(cudaGetLastError());
  return result == cudaSuccess ? count : 0;
}

std::int64_t free_memory() {
  std::size_t available = 0;
  std::size_t all = 0;
  const cudaError_t result = cudaMemGetInfo(&available, &all);
  static_cast<void>(cudaGetLastError());
  return result == cudaSuccess ? static_cast<std::int64_t>(available) : 0;
}

}  // namespace recombine::cuda
