#include "src/checkpoint/safetensors.hpp"

#include <array>

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "kernels/error.hpp"

namespace recombine {

namespace {

std::string_view bytes_of(const GlobalTensors& tensors) {
  return {reinterpret_cast<const char*>(tensors.values.data()), tensors.values.size() * sizeof(float)};
}

}  // namespace

GlobalTensors gather_tensors(MeshRank& rank, const Model& model) {
  require(rank.mesh().extent(Axis::j) == 1 && rank.mesh().extent(Axis::k) == 1,
          "weights are gathered from a mesh Px1x1, not from {}", rank.mesh().to_string());
  GlobalTensors global{model.tensors(), std::vector<float>(static_cast<std::size_t>(model.weights().size))};
  rank.device().copy(rank.compute(), vector_view(global.values.data(), model.weights().size), model.weights());
  rank.compute().synchronize();
  return global;
}

std::string sha256(const GlobalTensors& tensors) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  const std::string_view bytes = bytes_of(tensors);
  require(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1,
          "EVP_Digest failed");
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

void write_safetensors(OutputFile& file, const GlobalTensors& tensors) {
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  for (const ParameterTensor& tensor : tensors.tensors) {
    const auto size = static_cast<std::int64_t>(sizeof(float));
    header[tensor.name] = {{"dtype", "F32"},
                           {"shape", tensor.shape},
                           {"data_offsets", {tensor.range.begin * size, tensor.range.end * size}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the tensors are aligned
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xFF);
  file.write(length);
  file.write(text);
  file.write(bytes_of(tensors));
  file.commit();
}

}  // namespace recombine
