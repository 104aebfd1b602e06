#include "src/nn/checkpoint/safetensors.hpp"

#include <exception>

#include <nlohmann/json.hpp>

#include "src/nn/checkpoint/bands.hpp"
#include "src/nn/digest.hpp"

namespace recombine {

namespace {

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

std::int64_t safetensors_bytes(const ParameterLayout& layout) {
  return static_cast<std::int64_t>(header_of(layout).size()) + layout.file_size() * size_of(DataType::f32);
}

std::string write_weights(RankContext& context, Communicator& group, const Model& model, OutputFile* file) {
  Digest digest;
  std::exception_ptr failure;
  // The other ranks count on every exchange, so a failure waits for the last band.
  const auto attempt = [&](const auto& work) {
    if (failure) return;
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  };
  attempt([&] {
    if (file) file->write(header_of(model.layout()));
  });
  for_each_band(context, group, model, [&](std::span<const float> band) {
    digest.add(band.data(), band.size_bytes());
    attempt([&] {
      if (file) file->write({reinterpret_cast<const char*>(band.data()), band.size_bytes()});
    });
  });
  if (failure) std::rethrow_exception(failure);
  return group.rank() == 0 ? digest.finish() : "";
}

}  // namespace recombine
