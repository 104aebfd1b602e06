#pragma once

#include <cstdint>
#include <string>

#include "distributed/io/output_file.hpp"
#include "src/data/table_schema.hpp"
#include "src/nn/model.hpp"

namespace recombine {

/// True if the file's name ends in .onnx, in any case of letters.
bool is_onnx(const std::string& path);

/// Writes a model on any mesh to `file` on rank 0, unless it is null there: from the raw values of a table to answers,
/// see src/onnx/table_graph.hpp. Does not commit the file. Opset 13 with ai.onnx.ml 2. Every rank calls it. Rank 0
/// needs a few MiB of memory, not memory for all weights.
/// @param group  all ranks of the mesh, in its order, for memory of the context's device  @param schema  on rank 0
/// @throws Error on rank 0 alone, after the last exchange, if the file cannot be written
void write_onnx(RankContext& context, Communicator& group, const Model& model, const TableSchema& schema,
                OutputFile* file);

/// The size in bytes of that file. @throws InputError if it is more than an ONNX file can have: 2 GiB; or if this build
/// cannot write ONNX files
std::int64_t onnx_bytes(const Model& model, const TableSchema& schema);

/// @throws InputError if `path`, the value of an option that reads weights, is_onnx()
void refuse_onnx(const std::string& option, const std::string& path);

}  // namespace recombine
