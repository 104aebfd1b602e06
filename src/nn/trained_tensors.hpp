#pragma once

#include <string>
#include <vector>

#include "src/nn/parameter_layout.hpp"

namespace recombine {

/// All tensors of a network in training, in the order of a checkpoint: weights and biases, then their first moments,
/// then their second moments. A value; does not own the memory.
struct TrainedTensors {
  const ParameterLayout& layout;
  /// The weights, then each moment that the optimizer has; each is a flat vector in the order of `layout`.
  std::vector<VectorView> vectors;

  std::size_t size() const { return vectors.size() * layout.tensors().size(); }
  /// The parameter that belongs to tensor `n`: tensor `n` is its values, or one of its moments.
  const ParameterTensor& parameter(std::size_t n) const { return layout.tensors()[n % layout.tensors().size()]; }
  std::string name(std::size_t n) const;  ///< "layers.0.weight", "optimizer.first.layers.0.weight"
  DistMatrix matrix(std::size_t n) const;
};

}  // namespace recombine
