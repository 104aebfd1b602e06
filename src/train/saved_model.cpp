#include "src/train/saved_model.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "kernels/error.hpp"
#include "src/nn/checkpoint/read_tensor.hpp"
#include "src/nn/checkpoint/tensor_order.hpp"

namespace recombine {

namespace {

constexpr std::string_view kVersion = "recombine.version", kActivation = "recombine.activation",
                           kTable = "recombine.table";
constexpr std::int64_t kOwnVersion = 1;
constexpr std::size_t kMostTable = 50'000'000;  // bytes of the header, which may have 100 MB

/// The texts of kActivation. GELU has several forms in use; ours is the one with tanh.
constexpr std::pair<Activation, std::string_view> kActivations[] = {{Activation::identity, "identity"},
                                                                    {Activation::relu, "relu"},
                                                                    {Activation::gelu, "gelu_tanh"},
                                                                    {Activation::tanh, "tanh"},
                                                                    {Activation::sigmoid, "sigmoid"}};

/// What keeps a schema from fitting a network. "": it fits.
std::string misfit(const TableSchema& schema, std::int64_t inputs, std::int64_t outputs) {
  if (schema.width() != inputs)
    return fmt::format("its table has {} inputs, and its network {}", schema.width(), inputs);
  const std::int64_t answers = std::ssize(schema.classes);
  if (answers > 0 && answers != outputs)
    return fmt::format("its table has {} classes, and its network {} outputs", answers, outputs);
  if (answers == 0 && std::ssize(schema.targets) != outputs)
    return fmt::format("its table has {} targets, and its network {} outputs", schema.targets.size(), outputs);
  return "";
}

const std::string* find(const SafetensorsFile& file, std::string_view key) {
  const auto entry = std::ranges::find(file.metadata(), key, &MetadataEntry::key);
  return entry != file.metadata().end() ? &entry->value : nullptr;
}

const std::string& value_of(const SafetensorsFile& file, std::string_view key) {
  const std::string* const value = find(file, key);
  require_whole(value, "{}: its metadata have no {}; expected it next to {}", file.name(), key, kVersion);
  return *value;
}

/// True if the file has the entries of metadata_of(). @throws InputError if they are those of a newer version
bool has_entries(const SafetensorsFile& file) {
  const std::string* const text = find(file, kVersion);
  if (!text) return false;
  std::int64_t version = 0;
  std::from_chars(text->data(), text->data() + text->size(), version);
  require_whole(version >= 1 && *text == fmt::format("{}", version), "{}: {} is not a number; expected {}", file.name(),
                kVersion, kOwnVersion);
  require_input(version == kOwnVersion,
                "{}: is a model of version {}; this program reads version {}; expected a model of that version, or a "
                "newer program",
                file.name(), version, kOwnVersion);
  return true;
}

Activation activation_of(const SafetensorsFile& file) {
  const std::string& text = value_of(file, kActivation);
  const auto known = std::ranges::find(kActivations, text, &std::pair<Activation, std::string_view>::second);
  require_whole(known != std::end(kActivations),
                "{}: {} is unknown; expected relu, gelu_tanh, tanh, sigmoid or identity", file.name(), kActivation);
  return known->first;
}

const StoredTensor& tensor_of(const SafetensorsFile& file, const std::string& name) { return file.tensors().at(name); }

/// Reads the network from the shapes of its tensors. load_weights() checks their types and values.
SavedModel network_of(const SafetensorsFile& file) {
  const NetworkTensors names = network_tensors(file);
  require_input(!names.weights.empty(), "{}: has no weights (tensors with two dimensions); expected one for each layer",
                file.name());
  const bool biased = !names.biases.empty();
  require_input(!biased || names.biases.size() == names.weights.size(),
                "{}: has {} weights and {} biases; expected one bias for each weight, or none", file.name(),
                names.weights.size(), names.biases.size());
  SavedModel model{.bias = biased ? Bias::per_output : Bias::none};
  for (std::size_t l = 0; l < names.weights.size(); ++l) {
    const std::string& name = names.weights[l];
    const std::vector<std::int64_t>& shape = tensor_of(file, name).shape;
    const auto [outputs, inputs] = std::pair(shape[0], shape[1]);
    require_f32(file, name);
    require_input(outputs >= 1 && inputs >= 1,
                  "{}: tensor {} has shape [{},{}]; expected at least one input and output", file.name(), name, outputs,
                  inputs);
    require_input(l == 0 || inputs == model.outputs,
                  "{}: tensor {} has {} inputs; expected {}, the outputs of {} before it", file.name(), name, inputs,
                  model.outputs, l > 0 ? names.weights[l - 1] : name);
    if (biased) {
      const std::string& bias = names.biases[l];
      require_f32(file, bias);
      require_input(tensor_of(file, bias).shape[0] == outputs,
                    "{}: tensor {} has {} elements; expected {}, one for each output of {}", file.name(), bias,
                    tensor_of(file, bias).shape[0], outputs, name);
    }
    if (l == 0) model.inputs = inputs;
    if (l > 0) model.hidden.push_back(model.outputs);
    model.outputs = outputs;
  }
  return model;
}

}  // namespace

SavedModel read_saved_model(const std::string& option, const std::string& path) {
  const SafetensorsFile file(option, path);
  SavedModel model = network_of(file);
  if (!has_entries(file)) return model;
  model.activation = activation_of(file);
  model.schema = schema_from_json(file.name(), value_of(file, kTable));
  const std::string problem = misfit(*model.schema, model.inputs, model.outputs);
  require_whole(problem.empty(), "{}: {}; expected the same number", file.name(), problem);
  return model;
}

Metadata metadata_of(const ModelShape& model, const TableSchema& schema) {
  const std::string problem = misfit(schema, model.inputs, model.outputs);
  require(problem.empty(), "a model does not fit its table: {}", problem);
  const auto activation =
      std::ranges::find(kActivations, model.activation, &std::pair<Activation, std::string_view>::first);
  std::string table = to_json(schema);
  const std::size_t bytes = nlohmann::json(table).dump().size();
  require_input(bytes <= kMostTable,
                "--save: the names and categories of the columns have {} bytes; expected at most {}: use fewer "
                "--categories, or --ignore columns",
                bytes, kMostTable);
  return {{std::string(kVersion), fmt::format("{}", kOwnVersion)},
          {std::string(kActivation), std::string(activation->second)},
          {std::string(kTable), std::move(table)}};
}

}  // namespace recombine
