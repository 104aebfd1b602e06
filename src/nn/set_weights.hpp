#pragma once

#include <span>

#include "src/nn/model.hpp"

namespace recombine {

/// Sets the weights of a model on any mesh. Each rank sets its own blocks. @param values  all parameters in the order of
/// ParameterLayout::tensors(), each tensor row by row; the same on every rank
/// @throws Error if there are not as many values as parameters
void set_weights(RankContext& context, Model& model, std::span<const float> values);

}  // namespace recombine
