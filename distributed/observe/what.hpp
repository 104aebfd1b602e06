#pragma once

#include <cstdint>

namespace recombine {

/// What a collective is for: the key of reports, traces and error messages.
struct What {
  const char* name = "";   ///< a literal, such as "sum dW"
  int layer = -1;          ///< -1: of no layer
  std::int64_t step = -1;  ///< of training, from 1; -1: outside of a step
};

}  // namespace recombine
