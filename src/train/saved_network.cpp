#include "src/train/saved_network.hpp"

#include <algorithm>

#include "kernels/error.hpp"
#include "src/nn/checkpoint/safetensors_file.hpp"
#include "src/nn/trained_tensors.hpp"
#include "src/onnx/write_onnx.hpp"

namespace recombine {

namespace {

bool has_best_weights(const std::string& option, const std::string& path) {
  const SafetensorsFile file(option, path);
  return std::ranges::any_of(file.tensors(),
                             [](const auto& tensor) { return tensor.first.starts_with(TrainedTensors::kBestPrefix); });
}

}  // namespace

std::optional<SavedNetwork> read_saved_network(const TrainCommand& command) {
  const bool loads = !command.load.empty();
  const std::string path = loads ? command.load : command.checkpoints.resume;
  if (path.empty() || (!loads && command.checkpoints.resumes_newest())) return {};
  const std::string option = loads ? "load" : "resume";
  refuse_onnx(option, path);
  const SavedNetwork network{read_saved_model(option, path), has_best_weights(option, path)};
  if (loads && network.model.activation && command.activation) {
    require_input(*command.activation == *network.model.activation,
                  "--activation {}: --load {} has {}; expected the same, or no --activation",
                  name_of(*command.activation), path, name_of(*network.model.activation));
  }
  return network;
}

}  // namespace recombine
