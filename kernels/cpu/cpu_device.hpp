#pragma once

#include <memory>

#include "kernels/device.hpp"

namespace recombine::cpu {

/// The processor's cores that this process may use, with oneDNN for products.
std::unique_ptr<Device> make_cpu_device(const DeviceOptions& options);

}  // namespace recombine::cpu
