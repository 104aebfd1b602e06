#pragma once

#include <string>
#include <vector>

#include "src/nn/parameter_layout.hpp"

namespace recombine {

/// All tensors of a network in training, in the order of a checkpoint: weights and biases, then those of the best epoch
/// if they are kept, then first moments, then second moments. A value; does not own the memory.
struct TrainedTensors {
  /// Tensors of the best epoch have names that begin so.
  static constexpr const char* kBestPrefix = "optimizer.best.";

  const ParameterLayout& layout;
  /// The weights, then each moment that the optimizer has; each is a flat vector in the order of `layout`.
  std::vector<VectorView> vectors;
  VectorView best = {};  ///< the weights of the best epoch; empty: they are not kept

  bool has_best() const { return best.size > 0; }
  std::size_t size() const { return (vectors.size() + (has_best() ? 1 : 0)) * layout.tensors().size(); }
  /// The parameter that belongs to tensor `n`: tensor `n` is its values, or one of its moments.
  const ParameterTensor& parameter(std::size_t n) const { return layout.tensors()[n % layout.tensors().size()]; }
  /// "layers.0.weight", "optimizer.first.layers.0.weight", "optimizer.best.layers.0.weight"
  std::string name(std::size_t n) const;
  DistMatrix matrix(std::size_t n) const;

 private:
  static constexpr std::size_t kBest = 1;  ///< the place of `best` among all vectors
  bool is_best(std::size_t n) const { return has_best() && n / layout.tensors().size() == kBest; }
  /// Of tensor `n`, which is not one of the best ones: its place in `vectors`.
  std::size_t vector_of(std::size_t n) const;
};

}  // namespace recombine
