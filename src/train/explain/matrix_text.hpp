#pragma once

#include <string>

#include "src/train/explain/step_numbers.hpp"

namespace recombine {

/// The step as products of matrices, with their shapes.
std::string matrix_text(const StepNumbers& step);

}  // namespace recombine
