#pragma once

#include <cstdint>

namespace recombine {

/// The purpose of a collective: the key in reports, traces and error messages.
struct What {
  const char* name = "";   ///< a literal, such as "sum dW"
  int layer = -1;          ///< -1: belongs to no layer
  std::int64_t step = -1;  ///< training step, from 1; -1: outside of a step
};

}  // namespace recombine
