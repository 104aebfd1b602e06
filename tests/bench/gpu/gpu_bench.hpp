#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "distributed/session.hpp"
#include "kernels/device.hpp"
#include "kernels/math.hpp"

namespace recombine::bench {

/// How large and how long: `quick` is for trying the programs, its figures say nothing.
enum class Effort { full, quick };

/// One line of the report: a rate, and the measured ceiling that it is to be seen beside.
struct Rate {
  std::string part;
  std::string name;
  std::string size;
  double seconds = 0;  ///< of one call
  double value = 0;
  std::string unit;
  double ceiling = 0;  ///< of the same unit; 0: none is measured
  std::string note = {};
};

/// Writes it on standard output, as a line of JSON.
void print(const Rate& rate);

/// This rank's GPU, one compute stream, and memory filled for its kernels.
class GpuBench {
 public:
  GpuBench(Effort effort, const DeviceOptions& options);

  Effort effort() const { return effort_; }
  Device& device() { return *device_; }
  Math& math() { return device_->math(); }
  Stream& stream() { return *stream_; }

  /// Random values in [-1, 1).   f32, f64 or bf16
  Buffer random(std::int64_t size, DataType type = DataType::f32);
  Buffer zeros(std::int64_t size, DataType type = DataType::f32);
  template <class T>
  Buffer from_host(const std::vector<T>& values) {
    const ConstVectorView host = vector_view(values.data(), static_cast<std::int64_t>(values.size()));
    Buffer buffer(*device_, host.type, host.size);
    device_->copy(*stream_, buffer.view(), host);
    stream_->synchronize();
    return buffer;
  }

  /// Seconds of one call: the median of rounds, each so many calls that the host's clock, read before the first and
  /// after a synchronize() behind the last, is exact enough, and that starting them does not count.
  double seconds_of(const std::function<void()>& call);

 private:
  Effort effort_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
};

/// Each elementwise kernel beside a copy on the GPU, in GB/s of the bytes that it must read and write.
void run_kernels(Effort effort);
/// Products of the library and of the taught kernels, in TFLOP/s beside a large one of the library in the same type.
void run_products(Effort effort);
/// all_reduce of f32 over all ranks, 1 to 256 MiB. Rank 0 prints. Every rank calls it.
void run_all_reduce(Session& session, Effort effort, Collectives collectives);

}  // namespace recombine::bench
