#include "src/checkpoint/safetensors.hpp"

#include <nlohmann/json.hpp>

#include "kernels/error.hpp"
#include "src/program/digest.hpp"

namespace recombine {

namespace {

std::string_view bytes_of(const GlobalTensors& tensors) {
  return {reinterpret_cast<const char*>(tensors.values.data()), tensors.values.size() * sizeof(float)};
}

/// The file's header, before the tensors' bytes: the length of the JSON text, then the JSON text.
std::string header_of(const ParameterLayout& layout) {
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  for (const ParameterTensor& tensor : layout.tensors()) {
    const auto size = static_cast<std::int64_t>(sizeof(float));
    header[tensor.name] = {{"dtype", "F32"},
                           {"shape", tensor.shape},
                           {"data_offsets", {tensor.file_begin * size, (tensor.file_begin + tensor.size()) * size}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // aligns the tensors to 8 bytes
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return length + text;
}

}  // namespace

GlobalTensors gather_tensors(RankContext& context, const Model& model) {
  require(context.mesh().extent(Axis::j) == 1 && context.mesh().extent(Axis::k) == 1,
          "weights are gathered from a mesh Px1x1, not from {}", context.mesh().to_string());
  GlobalTensors global{model.layout(), std::vector<float>(static_cast<std::size_t>(model.weights().size))};
  context.device().copy(context.compute(), vector_view(global.values.data(), model.weights().size), model.weights());
  context.compute().synchronize();
  return global;
}

std::string sha256(const GlobalTensors& tensors) {
  const std::string_view bytes = bytes_of(tensors);
  Digest digest;
  digest.add(bytes.data(), bytes.size());
  return digest.finish();
}

std::int64_t safetensors_bytes(const ParameterLayout& layout) {
  return static_cast<std::int64_t>(header_of(layout).size()) + layout.file_size() * size_of(DataType::f32);
}

void write_safetensors(OutputFile& file, const GlobalTensors& tensors) {
  file.write(header_of(tensors.layout));
  file.write(bytes_of(tensors));
  file.commit();
}

}  // namespace recombine
