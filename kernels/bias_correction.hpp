#pragma once

#include <cmath>
#include <cstdint>

namespace recombine {

/// 1 / (1 - beta^step): Adam multiplies a moment by it (Kingma and Ba, "Adam", ICLR 2015). Computed on the host.
inline float bias_correction(float beta, std::int64_t step) {
  return static_cast<float>(1 / (1 - std::pow(static_cast<double>(beta), static_cast<double>(step))));
}

}  // namespace recombine
