#include "src/nn/trained_tensors.hpp"

#include <array>

namespace recombine {

std::size_t TrainedTensors::vector_of(std::size_t n) const {
  const std::size_t place = n / layout.tensors().size();
  return has_best() && place > kBest ? place - 1 : place;
}

std::string TrainedTensors::name(std::size_t n) const {
  static constexpr std::array kPrefixes = {"", "optimizer.first.", "optimizer.second."};
  return (is_best(n) ? kBestPrefix : kPrefixes.at(vector_of(n))) + parameter(n).name;
}

DistMatrix TrainedTensors::matrix(std::size_t n) const {
  return layout.matrix(n % layout.tensors().size(), is_best(n) ? best : vectors.at(vector_of(n)));
}

}  // namespace recombine
