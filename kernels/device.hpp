#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/matrix.hpp"
#include "kernels/memory_count.hpp"
#include "kernels/replay.hpp"
#include "kernels/stream.hpp"

namespace recombine {

class Math;

enum class DeviceKind { cpu, cuda };

enum class StreamUse {
  compute,        ///< arithmetic
  background,     ///< arithmetic that is less urgent: a GPU runs the other streams first
  communication,  ///< collectives on the device's memory; a CPU's progress engine runs them
  host,           ///< calls on the host's memory (MPI, files); the progress engine of every device runs them
};

enum class MemoryKind {
  device,
  host,  ///< the host's; pinned if the device has its own memory, so that copies need no intermediate buffer
};

/// What multiplies matrices. All except `library` are for learning and run on a GPU only.
enum class ProductKernel { library, naive, tiled, tensor, hopper };

/// How products of f32 are computed.
enum class F32Products {
  f32,
  tf32,  ///< on a GPU's tensor cores, with operands rounded to 10 mantissa bits; sums in f32
};

/// Which thread runs the communication streams of a CPU device.
enum class Progress {
  thread,       ///< a separate thread, so that communication overlaps with arithmetic
  synchronous,  ///< the calling thread, if MPI does not support threads
};

struct DeviceOptions {
  DeviceKind kind = DeviceKind::cpu;
  int threads = 1;         ///< for arithmetic on the CPU
  std::vector<int> cores;  ///< the core of each of these threads; empty: the system chooses
  Progress progress = Progress::thread;
  int local_rank = 0;  ///< among the ranks of this host; the rank uses GPU local_rank modulo the number of GPUs
  ProductKernel kernel = ProductKernel::library;
  F32Products f32_products = F32Products::f32;
  /// Receives one line, at most once, if another kernel multiplies than the one requested. May be empty.
  std::function<void(const std::string&)> note = {};
};

/// One rank's processor: memory and streams.
class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceKind kind() const = 0;
  /// For the report: the processor and what it can do.
  virtual std::string description() const = 0;
  /// 64-byte aligned. @throws Error if there is not enough memory
  virtual std::byte* allocate(std::int64_t bytes, MemoryKind kind) = 0;
  virtual void deallocate(std::byte* memory, MemoryKind kind) noexcept = 0;
  /// `from` or `to` may be the host's memory. If that memory is not MemoryKind::host, then on a compute stream the
  /// caller may change `from` when copy() returns, and `to` is complete only after the stream's synchronize().
  virtual void copy(Stream& stream, VectorView to, ConstVectorView from) = 0;
  virtual std::unique_ptr<Stream> make_stream(StreamUse use) = 0;
  virtual Math& math() = 0;
  /// Work that `enqueue` puts on `stream`, and on other streams between two events of `stream`. A CPU calls `enqueue`
  /// in every run. A GPU calls it in the first run, and in the second run to capture a graph; that run and all later
  /// ones launch the graph. So every call must enqueue the same work, and values that change must be in memory. The
  /// second call must not allocate memory of the GPU, copy from or to host memory that is not MemoryKind::host, block
  /// the host, or make a stream wait for the host.
  virtual std::unique_ptr<Replay> make_replay(Stream& stream, std::function<void()> enqueue) = 0;

  /// Counts the bytes of this rank's Buffers of this device, by use. Buffers of on_host() are not counted.
  MemoryCount& memory_count() { return memory_count_; }

 private:
  MemoryCount memory_count_;
};

/// @throws InputError if this build or this machine has no such device
std::unique_ptr<Device> make_device(const DeviceOptions& options);

/// Number of GPUs that this process can use. 0 if there is none, or if the build has no CUDA.
int cuda_device_count();
/// Bytes of memory that are free on the GPU that this process uses. 0 without a GPU.
std::int64_t cuda_free_memory();

/// Owns memory of a device. The memory is not initialised, unless the function that returns it says so.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Device& device, DataType type, std::int64_t size, MemoryUse use = MemoryUse::buffers)
      : Buffer(device, type, size, MemoryKind::device, use) {}
  /// Host memory for copies to and from the device; pinned if the device is a GPU.
  static Buffer on_host(Device& device, DataType type, std::int64_t size) {
    return {device, type, size, MemoryKind::host, MemoryUse::buffers};
  }
  /// Memory that `device` can use and that `owner` owns. The buffer keeps `owner` alive.
  Buffer(Device& device, std::shared_ptr<const void> owner, VectorView view, MemoryUse use)
      : device_(&device), owner_(std::move(owner)), use_(use), view_(view) {
    count(1);
  }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() {
    if (!device_) return;
    count(-1);
    if (!owner_) device_->deallocate(view_.data, kind_);
  }

  VectorView view() const { return view_; }
  MatrixView matrix(std::int64_t rows, std::int64_t cols) const { return as_matrix(view_, rows, cols); }

 private:
  Buffer(Device& device, DataType type, std::int64_t size, MemoryKind kind, MemoryUse use)
      : device_(&device), kind_(kind), use_(use), view_{device.allocate(size * size_of(type), kind), size, type} {
    count(1);
  }
  void count(int sign) {
    if (kind_ == MemoryKind::device) device_->memory_count().add(use_, sign * view_.bytes());
  }
  void swap(Buffer& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(owner_, other.owner_);
    std::swap(kind_, other.kind_);
    std::swap(use_, other.use_);
    std::swap(view_, other.view_);
  }

  Device* device_ = nullptr;           ///< null: the buffer is empty
  std::shared_ptr<const void> owner_;  ///< null: the buffer owns the memory
  MemoryKind kind_ = MemoryKind::device;
  MemoryUse use_ = MemoryUse::buffers;
  VectorView view_;
};

}  // namespace recombine
