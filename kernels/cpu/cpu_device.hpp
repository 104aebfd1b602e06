#pragma once

#include <memory>

#include "kernels/device.hpp"

namespace recombine::cpu {

/// The processor cores that this process may use, with oneDNN and OpenBLAS for products.
std::unique_ptr<Device> make_cpu_device(const DeviceOptions& options);

}  // namespace recombine::cpu
