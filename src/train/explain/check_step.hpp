#pragma once

#include "src/train/explain/step_numbers.hpp"

namespace recombine {

double activated(Activation activation, double z);
/// The derivative of an activation y = f(z), from both values.
double derivative(Activation activation, double z, double y);
/// Z of one output: the sum of inputs times weights, and the bias.
double sum_before_activation(const LayerNumbers& layer, std::int64_t row, std::int64_t output);
/// dLoss/dY of a hidden layer: a row of dZ of the `next` layer times a column of its weights.
double sum_of_next(const LayerNumbers& next, std::int64_t row, std::int64_t output);
/// The probabilities that softmax makes of a row of the outputs.
std::vector<double> softmax(const StepNumbers& step, std::int64_t row);

/// Computes every number of the step as a sum of scalars, as the text writes it, and compares it with the trainer's
/// matrices. Returns how many numbers are equal, except for f32 rounding.
/// @throws Error that names the first number that is not
std::int64_t require_equal_scalars(const StepNumbers& step);

}  // namespace recombine
