#include "kernels/cuda/cuda_device.hpp"
#include "kernels/error.hpp"

namespace recombine::cuda {

std::unique_ptr<Device> make_cuda_device(const DeviceOptions& /*options*/) {
  throw InputError(
      "--device cuda: this build has no CUDA (cmake -DRECOMBINE_CUDA=ON builds it); expected --device cpu");
}

int device_count() { return 0; }

std::int64_t free_memory() { return 0; }

}  // namespace recombine::cuda
