#include "kernels/cpu/cpu_device.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/error.hpp"

namespace recombine {

std::unique_ptr<Device> make_device(const DeviceOptions& options) {
  if (options.kind == DeviceKind::cuda) return cuda::make_cuda_device(options);
  require_input(
      options.kernel == ProductKernel::library,
      "--kernel: naive, tiled, tensor and hopper run on a GPU only; expected --device cuda or --kernel library");
  require_input(options.f32_products == F32Products::f32, "--precision tf32: only GPUs have it; expected f32 or bf16");
  return cpu::make_cpu_device(options);
}

int cuda_device_count() { return cuda::device_count(); }

std::int64_t cuda_free_memory() { return cuda::free_memory(); }

}  // namespace recombine
