#pragma once

#include <memory>

#include "kernels/device.hpp"

namespace recombine::cuda {

/// The GPU of options.local_rank, with cuBLASLt for products; its host streams run on a progress engine of the CPU's.
/// @throws InputError where this build has no CUDA, or this machine no GPU
std::unique_ptr<Device> make_cuda_device(const DeviceOptions& options);

/// GPUs that this process sees; 0 without a driver.
int device_count();

}  // namespace recombine::cuda
