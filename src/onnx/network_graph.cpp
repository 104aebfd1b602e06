#include "src/onnx/network_graph.hpp"

#include <optional>

#include <fmt/format.h>

namespace recombine {

namespace {

/// The constants of GELU, once for all layers.
struct GeluConstants {
  explicit GeluConstants(GraphBuilder& graph)
      : cubic(graph.constant("gelu/cubic", 0.044715F)),
        slope(graph.constant("gelu/slope", 0.7978845608028654F)),  // sqrt(2 / pi)
        one(graph.constant("gelu/one", 1.0F)),
        half(graph.constant("gelu/half", 0.5F)) {}
  std::string cubic, slope, one, half;
};

/// x (1 + tanh(slope (x + cubic x^3))) / 2: ONNX has no GELU before opset 20.
std::string add_gelu(GraphBuilder& graph, const GeluConstants& constants, const std::string& x,
                     const std::string& name) {
  const auto add = [&](const char* type, const std::string& a, const std::string& b, const char* part) {
    return graph.add({type}, {a, b}, name + part);
  };
  const std::string square = add("Mul", x, x, "/square");
  const std::string cube = add("Mul", square, x, "/cube");
  const std::string third = add("Mul", cube, constants.cubic, "/third_order");
  const std::string inner = add("Add", x, third, "/sum");
  const std::string argument = add("Mul", inner, constants.slope, "/argument");
  const std::string tanh = graph.add({"Tanh"}, {argument}, name + "/tanh");
  const std::string factor = add("Add", tanh, constants.one, "/factor");
  const std::string twice = add("Mul", x, factor, "/twice");
  return add("Mul", twice, constants.half, "");
}

std::string operation_of(Activation activation) {
  switch (activation) {
    case Activation::relu: return "Relu";
    case Activation::tanh: return "Tanh";
    case Activation::sigmoid: return "Sigmoid";
    case Activation::identity:
    case Activation::gelu: break;
  }
  return "Identity";
}

}  // namespace

std::string add_network(GraphBuilder& graph, const ModelShape& shape, std::string x,
                        std::vector<std::string>& tensors) {
  const bool gelu = shape.activation == Activation::gelu && shape.layers() > 1;
  const std::optional<GeluConstants> constants = gelu ? std::optional<GeluConstants>(graph) : std::nullopt;
  for (std::size_t l = 0; l < shape.layers(); ++l) {
    std::vector<std::string> operands = {x, graph.unique(fmt::format("layers.{}.weight", l))};
    if (shape.bias == Bias::per_output) operands.push_back(graph.unique(fmt::format("layers.{}.bias", l)));
    tensors.insert(tensors.end(), operands.begin() + 1, operands.end());
    x = graph.add({"Gemm", {attribute("transB", std::int64_t{1})}}, operands, fmt::format("layers.{}.product", l));
    const Activation activation = shape.activation_of(l);
    const std::string name = fmt::format("layers.{}.output", l);
    if (activation == Activation::gelu) {
      x = add_gelu(graph, *constants, x, name);
    } else if (activation != Activation::identity) {
      x = graph.add({operation_of(activation)}, {x}, name);
    }
  }
  return x;
}

}  // namespace recombine
