#pragma once

#include <string>

#include "src/nn/model_shape.hpp"
#include "src/onnx/graph_builder.hpp"

namespace recombine {

/// Adds the layers of a network to the values X [N, inputs]. Returns the name of Y [N, outputs].
/// @param tensors  gets the names of the weights [out, in] and biases [out] that the graph expects, in the order of
/// ParameterLayout::tensors()
std::string add_network(GraphBuilder& graph, const ModelShape& shape, std::string x, std::vector<std::string>& tensors);

}  // namespace recombine
