#include "src/nn/checkpoint/tensor_order.hpp"

#include <algorithm>

#include "kernels/error.hpp"

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

}  // namespace

NetworkTensors network_tensors(const SafetensorsFile& file) {
  NetworkTensors names;
  for (const auto& [name, tensor] : file.tensors()) {
    if (is_moment(name)) continue;
    const std::size_t dimensions = tensor.shape.size();
    require_input(dimensions == 1 || dimensions == 2,
                  "{}: tensor {} has {} dimensions; expected 2 (a weight) or 1 (a bias)", file.name(), name,
                  dimensions);
    (dimensions == 2 ? names.weights : names.biases).push_back(name);
  }
  std::ranges::sort(names.weights, natural_less);
  std::ranges::sort(names.biases, natural_less);
  return names;
}

}  // namespace recombine
