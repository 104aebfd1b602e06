#pragma once

#include <string>

#include "src/train/explain/step_numbers.hpp"

namespace recombine {

/// What the words and the loss mean: printed once.
std::string conventions(const StepNumbers& step);

/// The step as sums of scalars. If the network has one output and no hidden layer: of every row and weight. Otherwise
/// of one element of each matrix.
std::string scalar_text(const StepNumbers& step);

/// The function's name in a formula: "relu".
std::string_view function_name(Activation activation);

}  // namespace recombine
