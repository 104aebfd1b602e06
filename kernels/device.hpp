#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/matrix.hpp"
#include "kernels/stream.hpp"

namespace recombine {

class Math;

enum class DeviceKind { cpu, cuda };

enum class StreamUse {
  compute,        ///< arithmetic
  communication,  ///< collectives on the device's memory; on the CPU they are made by the device's progress engine
  host,           ///< calls on the host's memory (MPI, files), made by the progress engine of any device
};

enum class MemoryKind {
  device,
  host,  ///< the host's; where the device has memory of its own, pinned: copies need no stop on the way
};

/// Who multiplies. All but `library` are for learning, and on a GPU only.
enum class ProductKernel { library, naive, tiled, tensor };

/// How products of f32 are taken.
enum class F32Products {
  f32,
  tf32,  ///< operands rounded to 10 bits behind the point, on a GPU's tensor cores; sums in f32
};

/// How the communication streams of a CPU device move on.
enum class Progress {
  thread,       ///< a thread of their own, so that they overlap with arithmetic
  synchronous,  ///< in the calling thread: where MPI grants no threads
};

struct DeviceOptions {
  DeviceKind kind = DeviceKind::cpu;
  int threads = 1;         ///< for arithmetic on the CPU
  std::vector<int> cores;  ///< one for each of these threads, to bind it to; empty: left to the system
  Progress progress = Progress::thread;
  int local_rank = 0;  ///< among the ranks of this host: takes the GPU of that number, modulo their count
  ProductKernel kernel = ProductKernel::library;
  F32Products f32_products = F32Products::f32;
};

/// One rank's processor: memory and streams.
class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceKind kind() const = 0;
  /// For the report: processor, instruction set, threads.
  virtual std::string description() const = 0;
  /// 64-byte aligned. @throws Error when there is not enough
  virtual std::byte* allocate(std::int64_t bytes, MemoryKind kind) = 0;
  virtual void deallocate(std::byte* memory, MemoryKind kind) noexcept = 0;
  /// Either side may be the host's memory. If that is not of MemoryKind::host, then `from` may be used again at once on
  /// a compute stream; `to` has its values after the stream's synchronize().
  virtual void copy(Stream& stream, VectorView to, ConstVectorView from) = 0;
  virtual std::unique_ptr<Stream> make_stream(StreamUse use) = 0;
  virtual Math& math() = 0;
};

/// @throws InputError when this build or this machine has no such device
std::unique_ptr<Device> make_device(const DeviceOptions& options);

/// GPUs that this process can use: 0 where there is none, or where the build has no CUDA.
int cuda_device_count();

/// Memory of a device, owned. Not initialised, unless its maker says so.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Device& device, DataType type, std::int64_t size, MemoryKind kind = MemoryKind::device)
      : device_(&device), kind_(kind), view_{device.allocate(size * size_of(type), kind), size, type} {}
  /// Memory that belongs to `owner`, which lives as long as this.
  Buffer(std::shared_ptr<const void> owner, VectorView view) : owner_(std::move(owner)), view_(view) {}
  Buffer(Buffer&& other) noexcept
      : device_(other.device_), owner_(std::move(other.owner_)), kind_(other.kind_), view_(other.view_) {
    other.device_ = nullptr;
  }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(owner_, other.owner_);
    std::swap(kind_, other.kind_);
    std::swap(view_, other.view_);
    return *this;
  }
  ~Buffer() {
    if (device_) device_->deallocate(view_.data, kind_);
  }

  VectorView view() const { return view_; }
  MatrixView matrix(std::int64_t rows, std::int64_t cols) const { return as_matrix(view_, rows, cols); }

 private:
  Device* device_ = nullptr;  ///< null: the memory is not this object's to free
  std::shared_ptr<const void> owner_;
  MemoryKind kind_ = MemoryKind::device;
  VectorView view_;
};

}  // namespace recombine
