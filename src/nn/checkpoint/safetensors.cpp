#include "src/nn/checkpoint/safetensors.hpp"

#include <utility>

#include "src/nn/checkpoint/bands.hpp"
#include "src/nn/checkpoint/safetensors_header.hpp"
#include "src/nn/digest.hpp"

namespace recombine {

namespace {

std::string header_of(const ParameterLayout& layout) {
  const std::int64_t size = size_of(DataType::f32);
  std::vector<NamedTensor> tensors;
  for (const ParameterTensor& tensor : layout.tensors()) {
    tensors.push_back({tensor.name,
                       {.type = "F32",
                        .shape = tensor.shape,
                        .begin = tensor.file_begin * size,
                        .end = (tensor.file_begin + tensor.size()) * size}});
  }
  return safetensors_header({{"format", "pt"}}, tensors);
}

}  // namespace

std::int64_t safetensors_bytes(const ParameterLayout& layout) {
  return static_cast<std::int64_t>(header_of(layout).size()) + layout.file_size() * size_of(DataType::f32);
}

std::string write_weights(RankContext& context, Communicator& group, const Model& model, OutputFile* file) {
  Digest digest;
  bool first = true;
  for_each_band(context, group, model, [&](std::span<const float> band) {
    digest.add(band.data(), band.size_bytes());
    if (!file) return;
    if (std::exchange(first, false)) file->write(header_of(model.layout()));
    file->write({reinterpret_cast<const char*>(band.data()), band.size_bytes()});
  });
  return group.rank() == 0 ? digest.finish() : "";
}

}  // namespace recombine
