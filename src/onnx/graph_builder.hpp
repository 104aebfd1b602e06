#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

namespace recombine {

/// An operation of ONNX, and its attributes.
struct OnnxOperation {
  std::string type;
  std::vector<onnx::AttributeProto> attributes = {};
  std::string domain = "";
};

inline constexpr const char* kMlDomain = "ai.onnx.ml";  ///< of operations on tables

onnx::AttributeProto attribute(const std::string& name, std::int64_t value);
onnx::AttributeProto attribute(const std::string& name, float value);
onnx::AttributeProto attribute(const std::string& name, const std::vector<float>& values);
onnx::AttributeProto attribute(const std::string& name, const std::vector<std::string>& values);

/// Adds values and operations to a graph. These functions return the name of the new value: the wanted name, with "_"
/// at its end if another value has that name.
class GraphBuilder {
 public:
  explicit GraphBuilder(onnx::GraphProto& graph) : graph_(graph) {}

  /// Reserves a name.
  std::string unique(std::string name);
  /// An input [N, columns] of type onnx::TensorProto::FLOAT or STRING.
  std::string input(const std::string& name, std::int32_t type, std::int64_t columns);
  /// Declares that a value [N, columns] is an output; columns = 0: [N].
  void output(const std::string& value, std::int32_t type, std::int64_t columns);
  std::string add(const OnnxOperation& operation, const std::vector<std::string>& inputs, const std::string& name);

  std::string constant(const std::string& name, float value);                             ///< a scalar
  std::string constant(const std::string& name, std::span<const float> values);           ///< [n]
  std::string constant(const std::string& name, std::span<const std::int64_t> values);    ///< [n]
  std::string constant(const std::string& name, const std::vector<std::string>& values);  ///< [n]

 private:
  onnx::TensorProto& new_constant(const std::string& name, std::int32_t type);

  onnx::GraphProto& graph_;
  std::set<std::string> names_;
};

}  // namespace recombine
