#pragma once

#include <string>

#include "distributed/io/output_file.hpp"
#include "src/nn/checkpoint/safetensors_header.hpp"
#include "src/nn/model.hpp"

namespace recombine {

/// Writes the weights of a model on any mesh to `file` on rank 0, unless it is null there: the header, then the tensors
/// whole, f32, in the order of ParameterLayout::tensors(), so that the file does not depend on the mesh. The file is not
/// committed. The safetensors format: length of the header (8 bytes, little-endian), header in JSON, the tensors' bytes.
/// Every rank calls it. @param group  all ranks of the mesh, in its order, for memory of the context's device
/// @param metadata  entries of __metadata__ besides "format", on rank 0; UTF-8
/// @return on rank 0: SHA-256 of the tensors' bytes, hexadecimal; elsewhere ""
/// @throws Error on rank 0 alone, after the last exchange, if the file cannot be written
std::string write_weights(RankContext& context, Communicator& group, const Model& model, OutputFile* file,
                          const Metadata& metadata = {});

/// The size in bytes of that file.
std::int64_t safetensors_bytes(const ParameterLayout& layout, const Metadata& metadata = {});

}  // namespace recombine
