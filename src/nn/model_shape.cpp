#include "src/nn/model_shape.hpp"

#include <fmt/format.h>

#include "kernels/error.hpp"

namespace recombine {

std::int64_t ModelShape::parameters() const {
  std::int64_t sum = 0;
  for (std::size_t l = 0; l < layers(); ++l) {
    std::int64_t layer = 0;
    const std::int64_t inputs_and_bias = inputs_of(l) + (bias == Bias::per_output ? 1 : 0);
    const bool too_many =
        __builtin_mul_overflow(outputs_of(l), inputs_and_bias, &layer) || __builtin_add_overflow(sum, layer, &sum);
    require_input(!too_many, "--hidden: these layers have 2^63 parameters or more; expected fewer or narrower ones");
  }
  return sum;
}

std::string ModelShape::to_string() const {
  std::string text = fmt::to_string(inputs);
  for (std::size_t l = 0; l < layers(); ++l) text += fmt::format("-{}", outputs_of(l));
  return text;
}

}  // namespace recombine
