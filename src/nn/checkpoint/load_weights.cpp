#include "src/nn/checkpoint/load_weights.hpp"

#include <algorithm>
#include <vector>

#include "kernels/error.hpp"
#include "src/nn/checkpoint/read_tensor.hpp"

namespace recombine {

namespace {

/// True if `a` comes before `b`, where numbers in the names compare as numbers.
bool natural_less(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto number = [&](const std::string& text, std::size_t& at) {
    while (at + 1 < text.size() && text[at] == '0' && digit(text[at + 1])) ++at;
    const std::size_t begin = at;
    while (at < text.size() && digit(text[at])) ++at;
    return text.substr(begin, at - begin);
  };
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      const std::string x = number(a, i), y = number(b, j);
      if (x != y) return x.size() != y.size() ? x.size() < y.size() : x < y;
    } else if (a[i] != b[j]) {
      return a[i] < b[j];
    } else {
      ++i, ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

/// True for the names that a checkpoint gives to the optimizer's moments (TrainedTensors::name).
bool is_moment(const std::string& name) { return name.starts_with("optimizer."); }

/// The names of the file's tensors with this number of dimensions, in natural order.
std::vector<std::string> names_with(const SafetensorsFile& file, std::size_t dimensions) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors()) {
    if (tensor.shape.size() == dimensions && !is_moment(name)) names.push_back(name);
  }
  std::ranges::sort(names, natural_less);
  return names;
}

/// For each tensor of the layout: the name that it has in the file. Our names, if the file has exactly these; else the
/// natural order decides.
std::vector<std::string> match_names(const SafetensorsFile& file, const ParameterLayout& layout) {
  std::vector<std::string> names;
  for (const ParameterTensor& tensor : layout.tensors()) names.push_back(tensor.name);
  const auto in_file = [&](const std::string& name) { return file.tensors().contains(name); };
  const std::int64_t moments = std::ranges::count_if(file.tensors(), [](const auto& t) { return is_moment(t.first); });
  if (std::ssize(names) == std::ssize(file.tensors()) - moments && std::ranges::all_of(names, in_file)) return names;

  for (const auto& [name, tensor] : file.tensors()) {
    require_input(tensor.shape.size() == 1 || tensor.shape.size() == 2,
                  "{}: tensor {} has {} dimensions; expected 2 (a weight) or 1 (a bias)", file.name(), name,
                  tensor.shape.size());
  }
  const auto take = [&](std::size_t dimensions, const char* what) {
    const std::vector<std::string> of_file = names_with(file, dimensions);
    std::size_t used = 0;
    for (std::size_t t = 0; t < names.size(); ++t) {
      if (layout.tensors()[t].shape.size() != dimensions) continue;
      if (used < of_file.size()) names[t] = of_file[used];
      ++used;
    }
    require_input(used == of_file.size(), "{}: has {} {}; expected {}, as the network has", file.name(), of_file.size(),
                  what, used);
  };
  take(2, "weights (tensors with two dimensions)");
  take(1, "biases (tensors with one dimension)");
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
