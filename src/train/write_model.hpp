#pragma once

#include <string>

#include "distributed/io/output_file.hpp"
#include "src/data/table_schema.hpp"
#include "src/nn/model.hpp"

namespace recombine {

/// Claims room for --save. The name of the file decides the format: ONNX for FILE.onnx, else safetensors.
/// @throws InputError if the disk is full, or the format has no room for such a model
void reserve_model(OutputFile& file, const std::string& path, const Model& model, const TableSchema& schema);

/// Writes the model to `file` on rank 0, unless it is null there. Does not commit the file. Every rank calls it.
/// @param group   all ranks of the mesh, in its order, for memory of the context's device
/// @param schema  on rank 0
/// @return on rank 0: SHA-256 of the bytes of all tensors, in the order of a safetensors file; elsewhere ""
/// @throws Error on rank 0 alone, after the last exchange, if the file cannot be written
std::string write_model(RankContext& context, Communicator& group, const Model& model, const TableSchema& schema,
                        const std::string& path, OutputFile* file);

}  // namespace recombine
