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
  communication,  ///< collectives; on the CPU its calls are made by the device's progress thread
};

/// How the communication streams of a CPU device move on.
enum class Progress {
  thread,       ///< a thread of their own, so that they overlap with arithmetic
  synchronous,  ///< in the calling thread: where MPI grants no threads
};

/// Wall time in seconds. Handed in, because simulated runs have simulated time.
using Clock = double (*)();

struct DeviceOptions {
  DeviceKind kind = DeviceKind::cpu;
  int threads = 1;           ///< for arithmetic on the CPU
  std::vector<int> cores;    ///< one for each of these threads, to bind it to; empty: left to the system
  Progress progress = Progress::thread;
};

/// One rank's processor: memory and streams.
class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceKind kind() const = 0;
  /// For the report: processor, instruction set, threads.
  virtual std::string description() const = 0;
  /// 64-byte aligned. @throws Error when there is not enough
  virtual std::byte* allocate(std::int64_t bytes) = 0;
  virtual void deallocate(std::byte* memory) noexcept = 0;
  /// Either side may be the host's memory.
  virtual void copy(Stream& stream, VectorView to, ConstVectorView from) = 0;
  virtual std::unique_ptr<Stream> make_stream(StreamUse use) = 0;
  virtual Math& math() = 0;
};

/// @throws InputError when this build or this machine has no such device
std::unique_ptr<Device> make_device(const DeviceOptions& options);

/// Memory of a device, owned. Not initialised.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Device& device, DataType type, std::int64_t size)
      : device_(&device), view_{device.allocate(size * size_of(type)), size, type} {}
  Buffer(Buffer&& other) noexcept : device_(other.device_), view_(other.view_) { other.device_ = nullptr; }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(view_, other.view_);
    return *this;
  }
  ~Buffer() {
    if (device_) device_->deallocate(view_.data);
  }

  VectorView view() const { return view_; }
  MatrixView matrix(std::int64_t rows, std::int64_t cols) const { return as_matrix(view_, rows, cols); }

 private:
  Device* device_ = nullptr;
  VectorView view_;
};

}  // namespace recombine
