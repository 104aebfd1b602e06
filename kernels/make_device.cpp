#include "kernels/cpu/cpu_device.hpp"
#include "kernels/error.hpp"

namespace recombine {

std::unique_ptr<Device> make_device(const DeviceOptions& options) {
  require_input(options.kind == DeviceKind::cpu, "--device cuda: this build has no CUDA; --device cpu is right");
  return cpu::make_cpu_device(options);
}

}  // namespace recombine
