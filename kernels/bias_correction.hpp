#pragma once

#include <cmath>
#include <cstdint>

namespace recombine {

/// 1 / (1 - beta^step): what Adam divides a moment by, as a factor (Kingma and Ba, "Adam", ICLR 2015). On the host.
inline float bias_correction(float beta, std::int64_t step) {
  return static_cast<float>(1 / (1 - std::pow(static_cast<double>(beta), static_cast<double>(step))));
}

}  // namespace recombine
