#include "src/nn/checkpoint/load_weights.hpp"

#include <vector>

#include "kernels/error.hpp"
#include "src/nn/checkpoint/read_tensor.hpp"
#include "src/nn/checkpoint/tensor_order.hpp"

namespace recombine {

namespace {

/// For each tensor of the layout: the name that it has in the file.
std::vector<std::string> match_names(const SafetensorsFile& file, const ParameterLayout& layout) {
  const NetworkTensors of_file = network_tensors(file);
  std::vector<std::string> names(layout.tensors().size());
  const auto take = [&](const std::vector<std::string>& from, std::size_t dimensions, const char* what) {
    std::size_t used = 0;
    for (std::size_t t = 0; t < names.size(); ++t) {
      if (layout.tensors()[t].shape.size() != dimensions) continue;
      if (used < from.size()) names[t] = from[used];
      ++used;
    }
    require_input(used == from.size(), "{}: has {} {}; expected {}, as the network has", file.name(), from.size(), what,
                  used);
  };
  take(of_file.weights, 2, "weights (tensors with two dimensions)");
  take(of_file.biases, 1, "biases (tensors with one dimension)");
  return names;
}

}  // namespace

std::vector<std::string> load_weights(RankContext& context, const std::string& path, Model& model) {
  const SafetensorsFile file("load", path);
  const ParameterLayout& layout = model.layout();
  const std::vector<std::string> names = match_names(file, layout);
  for (std::size_t t = 0; t < names.size(); ++t) require_shape(file, names[t], layout.tensors()[t]);
  for (std::size_t t = 0; t < names.size(); ++t)
    read_tensor(context, file, names[t], layout.matrix(t, model.weights()));
  model.round_weights();
  std::vector<std::string> weights;
  bool renamed = false;
  for (std::size_t l = 0; l < model.shape().layers(); ++l) {
    const std::size_t t = layout.weight_of(l);
    weights.push_back(names[t]);
    renamed = renamed || names[t] != layout.tensors()[t].name;
  }
  return renamed ? weights : std::vector<std::string>();
}

}  // namespace recombine
