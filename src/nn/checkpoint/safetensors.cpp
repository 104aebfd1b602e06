#include "src/nn/checkpoint/safetensors.hpp"

#include <utility>

#include "src/nn/checkpoint/bands.hpp"
#include "src/nn/checkpoint/stored_tensors.hpp"
#include "src/nn/digest.hpp"

namespace recombine {

namespace {

std::string header_of(const ParameterLayout& layout, const Metadata& more) {
  Metadata metadata = {{"format", "pt"}};
  metadata.insert(metadata.end(), more.begin(), more.end());
  return safetensors_header(metadata, stored_tensors({.layout = layout, .vectors = {VectorView{}}}));
}

}  // namespace

std::int64_t safetensors_bytes(const ParameterLayout& layout, const Metadata& metadata) {
  return static_cast<std::int64_t>(header_of(layout, metadata).size()) + layout.file_size() * size_of(DataType::f32);
}

std::string write_weights(RankContext& context, Communicator& group, const Model& model, OutputFile* file,
                          const Metadata& metadata) {
  Digest digest;
  bool first = true;
  for_each_band(context, group, model, [&](std::span<const float> band) {
    digest.add(band.data(), band.size_bytes());
    if (!file) return;
    if (std::exchange(first, false)) file->write(header_of(model.layout(), metadata));
    file->write({reinterpret_cast<const char*>(band.data()), band.size_bytes()});
  });
  return group.rank() == 0 ? digest.finish() : "";
}

}  // namespace recombine
