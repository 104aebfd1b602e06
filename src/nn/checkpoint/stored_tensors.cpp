#include "src/nn/checkpoint/stored_tensors.hpp"

namespace recombine {

std::int64_t first_byte(const TrainedTensors& tensors, std::size_t n) {
  const auto vector = static_cast<std::int64_t>(n / tensors.layout.tensors().size());
  return (vector * tensors.layout.file_size() + tensors.parameter(n).file_begin) * size_of(DataType::f32);
}

std::vector<NamedTensor> stored_tensors(const TrainedTensors& tensors) {
  std::vector<NamedTensor> stored;
  for (std::size_t n = 0; n < tensors.size(); ++n) {
    stored.push_back({tensors.name(n),
                      {.type = "F32",
                       .shape = tensors.parameter(n).shape,
                       .begin = first_byte(tensors, n),
                       .end = first_byte(tensors, n + 1)}});
  }
  return stored;
}

}  // namespace recombine
