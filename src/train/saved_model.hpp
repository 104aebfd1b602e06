#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/data/table_schema.hpp"
#include "src/nn/checkpoint/safetensors_header.hpp"
#include "src/nn/model_shape.hpp"

namespace recombine {

/// What a safetensors file of weights says about its network.
struct SavedModel {
  std::int64_t inputs = 0, outputs = 0;  ///< of the network, from the shapes of the tensors
  std::vector<std::int64_t> hidden;      ///< likewise
  Bias bias = Bias::per_output;
  std::optional<Activation> activation;  ///< none: the file is from another program
  std::optional<TableSchema> schema;     ///< none: the file is from another program
};

/// Reads the header of a file that --save, --checkpoint or PyTorch wrote. Reads no weights.
/// @param option  that names the file: "load"  @throws InputError that begins with "--load FILE"
SavedModel read_saved_model(const std::string& option, const std::string& path);

/// The entries of __metadata__ that read_saved_model() reads.
Metadata metadata_of(const ModelShape& model, const TableSchema& schema);

}  // namespace recombine
