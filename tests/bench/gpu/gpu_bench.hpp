#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "distributed/session.hpp"
#include "kernels/device.hpp"
#include "kernels/math.hpp"

namespace recombine::bench {

/// Sizes and durations. `quick` is for trying the programs: its figures mean nothing.
enum class Effort { full, quick };

/// One line of the report: a rate, and the measured ceiling to compare it with.
struct Rate {
  std::string part;
  std::string name;
  std::string size;
  double seconds = 0;  ///< of one call
  double value = 0;
  std::string unit;
  double ceiling = 0;  ///< in the same unit; 0 if none is measured
  std::string note = {};
};

/// Prints the rate on standard output, as a line of JSON.
void print(const Rate& rate);

/// This rank's GPU, one compute stream, and memory filled for its kernels.
class GpuBench {
 public:
  GpuBench(Effort effort, const DeviceOptions& options);

  Effort effort() const { return effort_; }
  Device& device() { return *device_; }
  Math& math() { return device_->math(); }
  Stream& stream() { return *stream_; }

  /// Random values in [-1, 1), of type f32, f64 or bf16.
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

  /// Seconds of one call: the median of rounds. The host's clock is read before the first call of a round and after a
  /// synchronize() at its end. A round has so many calls that the clock is exact enough and launches cost little.
  double seconds_of(const std::function<void()>& call);

 private:
  Effort effort_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
};

/// Each elementwise kernel, compared with a copy on the GPU, in GB/s of the bytes that it must read and write.
void run_kernels(Effort effort);
/// Products by the library and by the kernels to learn from, in TFLOP/s, compared with a large product by the library
/// in the same type.
void run_products(Effort effort);
/// all_reduce of f32 over all ranks, 1 to 256 MiB. Rank 0 prints. Every rank calls it.
void run_all_reduce(Session& session, Effort effort, Collectives collectives);

}  // namespace recombine::bench
