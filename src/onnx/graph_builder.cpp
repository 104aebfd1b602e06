#include "src/onnx/graph_builder.hpp"

namespace recombine {

namespace {

void set_type(onnx::ValueInfoProto& value, std::int32_t type, std::int64_t columns) {
  onnx::TypeProto::Tensor& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape()->add_dim()->set_dim_param("N");
  if (columns > 0) tensor.mutable_shape()->add_dim()->set_dim_value(columns);
}

onnx::AttributeProto new_attribute(const std::string& name, onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

}  // namespace

onnx::AttributeProto attribute(const std::string& name, std::int64_t value) {
  onnx::AttributeProto attribute = new_attribute(name, onnx::AttributeProto::INT);
  attribute.set_i(value);
  return attribute;
}

onnx::AttributeProto attribute(const std::string& name, float value) {
  onnx::AttributeProto attribute = new_attribute(name, onnx::AttributeProto::FLOAT);
  attribute.set_f(value);
  return attribute;
}

onnx::AttributeProto attribute(const std::string& name, const std::vector<float>& values) {
  onnx::AttributeProto attribute = new_attribute(name, onnx::AttributeProto::FLOATS);
  attribute.mutable_floats()->Add(values.begin(), values.end());
  return attribute;
}

onnx::AttributeProto attribute(const std::string& name, const std::vector<std::string>& values) {
  onnx::AttributeProto attribute = new_attribute(name, onnx::AttributeProto::STRINGS);
  attribute.mutable_strings()->Add(values.begin(), values.end());
  return attribute;
}

std::string GraphBuilder::unique(std::string name) {
  if (name.empty()) name += "_";  // ONNX leaves out an optional input by an empty name
  while (!names_.insert(name).second) name += "_";
  return name;
}

std::string GraphBuilder::input(const std::string& name, std::int32_t type, std::int64_t columns) {
  onnx::ValueInfoProto& value = *graph_.add_input();
  value.set_name(unique(name));
  set_type(value, type, columns);
  return value.name();
}

void GraphBuilder::output(const std::string& value, std::int32_t type, std::int64_t columns) {
  onnx::ValueInfoProto& output = *graph_.add_output();
  output.set_name(value);
  set_type(output, type, columns);
}

std::string GraphBuilder::add(const OnnxOperation& operation, const std::vector<std::string>& inputs,
                              const std::string& name) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(operation.type);
  node.set_domain(operation.domain);
  node.set_name(unique(name));
  node.add_output(node.name());
  node.mutable_input()->Add(inputs.begin(), inputs.end());
  node.mutable_attribute()->Add(operation.attributes.begin(), operation.attributes.end());
  return node.name();
}

onnx::TensorProto& GraphBuilder::new_constant(const std::string& name, std::int32_t type) {
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(unique(name));
  tensor.set_data_type(type);
  return tensor;
}

std::string GraphBuilder::constant(const std::string& name, float value) {
  onnx::TensorProto& tensor = new_constant(name, onnx::TensorProto::FLOAT);
  tensor.add_float_data(value);
  return tensor.name();
}

std::string GraphBuilder::constant(const std::string& name, std::span<const float> values) {
  onnx::TensorProto& tensor = new_constant(name, onnx::TensorProto::FLOAT);
  tensor.add_dims(std::ssize(values));
  tensor.mutable_float_data()->Add(values.begin(), values.end());
  return tensor.name();
}

std::string GraphBuilder::constant(const std::string& name, std::span<const std::int64_t> values) {
  onnx::TensorProto& tensor = new_constant(name, onnx::TensorProto::INT64);
  tensor.add_dims(std::ssize(values));
  tensor.mutable_int64_data()->Add(values.begin(), values.end());
  return tensor.name();
}

std::string GraphBuilder::constant(const std::string& name, const std::vector<std::string>& values) {
  onnx::TensorProto& tensor = new_constant(name, onnx::TensorProto::STRING);
  tensor.add_dims(std::ssize(values));
  tensor.mutable_string_data()->Add(values.begin(), values.end());
  return tensor.name();
}

}  // namespace recombine
