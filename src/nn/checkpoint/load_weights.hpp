#pragma once

#include <string>
#include <vector>

#include "src/nn/model.hpp"

namespace recombine {

/// Sets the weights of a model on any mesh from a safetensors file. Each rank reads only its own elements. The tensors
/// are F32, weights [out, in] and biases [out]. Their names are those of write_weights(); or else any names, as of a
/// PyTorch state_dict, whose natural order (2 before 10) is that of the layers, among the tensors with two dimensions
/// (weights) and among those with one (biases). Returns the names of the weights, layer by layer, if they are not those
/// of write_weights().
/// @throws InputError that begins with "--load FILE" and names the tensor, what it has and what is expected; on the
/// ranks that find the fault
std::vector<std::string> load_weights(RankContext& context, const std::string& path, Model& model);

}  // namespace recombine
