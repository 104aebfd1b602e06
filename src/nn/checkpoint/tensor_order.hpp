#pragma once

#include <string>
#include <vector>

#include "src/nn/checkpoint/safetensors_file.hpp"

namespace recombine {

/// The names of a network's tensors in a file, layer by layer: the natural order of the names (2 before 10).
struct NetworkTensors {
  std::vector<std::string> weights;  ///< with two dimensions
  std::vector<std::string> biases;   ///< with one
};

/// Leaves out the moments in a checkpoint. @throws InputError if a tensor has neither one dimension nor two
NetworkTensors network_tensors(const SafetensorsFile& file);

}  // namespace recombine
