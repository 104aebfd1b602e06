#pragma once

#include <memory>

#include "kernels/device.hpp"

namespace recombine::cuda {

/// The GPU of options.local_rank, with cuBLASLt for products. Its host streams run on a progress engine of the CPU.
/// @throws InputError if this build has no CUDA, or this machine has no GPU
std::unique_ptr<Device> make_cuda_device(const DeviceOptions& options);

/// Number of GPUs that this process sees; 0 without a driver.
int device_count();

/// Free bytes of the GPU that the calling thread uses; 0 without a driver.
std::int64_t free_memory();

}  // namespace recombine::cuda
