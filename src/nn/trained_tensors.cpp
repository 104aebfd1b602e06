#include "src/nn/trained_tensors.hpp"

#include <array>

namespace recombine {

std::string TrainedTensors::name(std::size_t n) const {
  static constexpr std::array kPrefixes = {"", "optimizer.first.", "optimizer.second."};
  return kPrefixes.at(n / layout.tensors().size()) + parameter(n).name;
}

DistMatrix TrainedTensors::matrix(std::size_t n) const {
  const std::size_t tensors = layout.tensors().size();
  return layout.matrix(n % tensors, vectors.at(n / tensors));
}

}  // namespace recombine
