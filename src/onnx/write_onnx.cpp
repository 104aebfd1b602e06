#include "src/onnx/write_onnx.hpp"

#include <limits>
#include <numeric>
#include <string_view>

#include "kernels/error.hpp"
#include "src/nn/checkpoint/bands.hpp"
#include "src/onnx/network_graph.hpp"
#include "src/onnx/table_graph.hpp"

namespace recombine {

namespace {

/// The key of a field of bytes in the format of protobuf, and the number of bytes.
std::string field(int number, std::size_t bytes) {
  constexpr unsigned kBytes = 2;  // the type of the field
  std::string text(1, static_cast<char>(static_cast<unsigned>(number) << 3 | kBytes));
  for (; bytes >= 0x80; bytes >>= 7) text += static_cast<char>((bytes & 0x7F) | 0x80);
  return text + static_cast<char>(bytes);
}

/// An ONNX file without the elements of its weights. protobuf would hold them all in memory.
struct OnnxText {
  std::string begin;                 ///< the model and its graph, up to the weights
  std::vector<std::string> tensors;  ///< what comes before the elements of each weight and bias
  std::size_t elements = 0;          ///< bytes of all weights and biases
  std::size_t size() const {
    const auto add = [](std::size_t sum, const std::string& text) { return sum + text.size(); };
    return std::accumulate(tensors.begin(), tensors.end(), begin.size() + elements, add);
  }
};

std::size_t bytes_of(const ParameterTensor& tensor) {
  return static_cast<std::size_t>(tensor.size() * size_of(DataType::f32));
}

std::string tensor_text(const std::string& name, const ParameterTensor& stored) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.mutable_dims()->Add(stored.shape.begin(), stored.shape.end());
  const std::string text = tensor.SerializeAsString() + field(onnx::TensorProto::kRawDataFieldNumber, bytes_of(stored));
  return field(onnx::GraphProto::kInitializerFieldNumber, text.size() + bytes_of(stored)) + text;
}

std::string model_text() {
  onnx::ModelProto model;
  model.set_ir_version(7);  // the version of opset 13
  model.set_producer_name("Recombine");
  model.set_producer_version(RECOMBINE_VERSION);
  for (const auto& [domain, version] : {std::pair("", 13), std::pair(kMlDomain, 2)}) {
    onnx::OperatorSetIdProto& set = *model.add_opset_import();
    set.set_domain(domain);
    set.set_version(version);
  }
  return model.SerializeAsString();
}

OnnxText text_of(const Model& model, const TableSchema& schema) {
  onnx::GraphProto graph;
  graph.set_name("network");
  GraphBuilder builder(graph);
  std::vector<std::string> names;
  const std::string x = add_table(builder, schema);
  add_answers(builder, schema, add_network(builder, model.shape(), x, names));

  OnnxText text;
  const std::vector<ParameterTensor>& tensors = model.layout().tensors();
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    text.tensors.push_back(tensor_text(names.at(t), tensors[t]));
    text.elements += bytes_of(tensors[t]);
  }
  const std::string before = graph.SerializeAsString();
  text.begin = before;  // now size() is that of the graph
  text.begin = model_text() + field(onnx::ModelProto::kGraphFieldNumber, text.size()) + before;
  return text;
}

}  // namespace

void write_onnx(RankContext& context, Communicator& group, const Model& model, const TableSchema& schema,
                OutputFile* file) {
  OnnxText text;
  if (file) text = text_of(model, schema);
  std::size_t tensor = 0, left = 0;  // bytes of the tensor that are not yet written
  for_each_band(context, group, model, [&](std::span<const float> band) {
    if (!file) return;
    if (left == 0) {
      if (tensor == 0) file->write(text.begin);
      file->write(text.tensors.at(tensor));
      left = bytes_of(model.layout().tensors()[tensor++]);
    }
    file->write({reinterpret_cast<const char*>(band.data()), band.size_bytes()});
    left -= band.size_bytes();
  });
}

std::int64_t onnx_bytes(const Model& model, const TableSchema& schema) {
  static constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
  const std::size_t bytes = text_of(model, schema).size();
  require_input(
      bytes <= kMost,
      "--save: the network has {} bytes, and an ONNX file at most {}; expected FILE.safetensors, or a smaller "
      "network",
      bytes, kMost);
  return static_cast<std::int64_t>(bytes);
}

}  // namespace recombine
