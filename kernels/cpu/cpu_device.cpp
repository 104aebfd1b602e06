#include "kernels/cpu/cpu_device.hpp"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>

#include <sched.h>
#include <sys/mman.h>

#include "kernels/cpu/cpu_math.hpp"
#include "kernels/cpu/cpu_stream.hpp"
#include "kernels/cpu/gemm_onednn.hpp"
#include "kernels/cpu/loops/loops.hpp"
#include "kernels/cpu/parallel_for.hpp"
#include "kernels/cpu/progress_engine.hpp"
#include "kernels/error.hpp"
#include "kernels/libraries.hpp"

namespace recombine::cpu {

namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "CPU";
}

void stay_on(const std::vector<int>& cores) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const int core : cores) CPU_SET(static_cast<std::size_t>(core), &mask);
  sched_setaffinity(0, sizeof mask, &mask);
}

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(const DeviceOptions& options) {
    set_threads(options.threads);
    if (!options.cores.empty()) stay_on(options.cores);  // also for the progress thread
    if (options.progress == Progress::thread) engine_.emplace();
    if (!options.cores.empty()) bind_threads(options.cores);
  }

  DeviceKind kind() const override { return DeviceKind::cpu; }
  std::string description() const override {
    return fmt::format("{}, {} ({})", processor_name(), instruction_set(),
                       has_bf16_products() ? "bf16 products native" : "bf16 widened to f32");
  }

  std::byte* allocate(std::int64_t bytes, MemoryKind /*kind*/) override {
    const auto size = static_cast<std::size_t>(bytes);
    const std::size_t unit = size >= kHugePage ? kHugePage : kCacheLine;
    const std::size_t whole = (std::max<std::size_t>(size, 1) + unit - 1) / unit * unit;
    void* const memory = std::aligned_alloc(unit, whole);
    require(memory != nullptr, "cannot allocate {} bytes of host memory; ulimit -v or other processes may leave less",
            bytes);
    if (unit == kHugePage) madvise(memory, whole, MADV_HUGEPAGE);
    return static_cast<std::byte*>(memory);
  }
  void deallocate(std::byte* memory, MemoryKind /*kind*/) noexcept override { std::free(memory); }

  void copy(Stream& stream, VectorView to, ConstVectorView from) override {
    require(to.bytes() == from.bytes(), "cannot copy {} bytes to {} bytes; expected equal sizes", from.bytes(),
            to.bytes());
    submit_call(as_cpu_stream(stream), [=] {
      if (to.size > 0) std::memcpy(to.data, from.data, static_cast<std::size_t>(from.bytes()));
    });
  }

  std::unique_ptr<Stream> make_stream(StreamUse use) override {
    const bool computes = use == StreamUse::compute || use == StreamUse::background;
    return computes || !engine_ ? make_inline_stream() : engine_->make_stream();
  }

  Math& math() override { return math_; }

  std::unique_ptr<Replay> make_replay(Stream& /*stream*/, std::function<void()> enqueue) override {
    return std::make_unique<ReplayByCalls>(std::move(enqueue));
  }

 private:
  std::optional<ProgressEngine> engine_;
  CpuMath math_;
};

}  // namespace

std::unique_ptr<Device> make_cpu_device(const DeviceOptions& options) { return std::make_unique<CpuDevice>(options); }

}  // namespace recombine::cpu
