#pragma once

#include <string>
#include <vector>

#include "src/nn/model.hpp"
#include "src/report/output_file.hpp"

namespace recombine {

/// A model's tensors in the host's memory, whole, in the order of the file.
struct GlobalTensors {
  ParameterLayout layout;
  std::vector<float> values;
};

/// @pre this rank holds every block: the mesh is Px1x1
GlobalTensors gather_tensors(RankContext& context, const Model& model);

/// SHA-256 of the tensors' bytes, in the order of the file: what follows the file's header. Hexadecimal.
std::string sha256(const GlobalTensors& tensors);

/// The size in bytes of the file that write_safetensors() writes for this model.
std::int64_t safetensors_bytes(const ParameterLayout& layout);

/// The safetensors format: length of the header (8 bytes, little-endian), header in JSON, the tensors' bytes.
void write_safetensors(OutputFile& file, const GlobalTensors& tensors);

}  // namespace recombine
