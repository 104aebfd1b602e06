#include "src/train/write_model.hpp"

#include "src/nn/checkpoint/safetensors.hpp"
#include "src/onnx/write_onnx.hpp"
#include "src/train/saved_model.hpp"

namespace recombine {

void reserve_model(OutputFile& file, const std::string& path, const Model& model, const TableSchema& schema) {
  file.reserve(is_onnx(path) ? onnx_bytes(model, schema)
                             : safetensors_bytes(model.layout(), metadata_of(model.shape(), schema)));
}

std::string write_model(RankContext& context, Communicator& group, const Model& model, const TableSchema& schema,
                        const std::string& path, OutputFile* file) {
  if (is_onnx(path)) {
    write_onnx(context, group, model, schema, file);
    file = nullptr;  // the weights are read again for their hash alone
  }
  return write_weights(context, group, model, file, file ? metadata_of(model.shape(), schema) : Metadata{});
}

}  // namespace recombine
