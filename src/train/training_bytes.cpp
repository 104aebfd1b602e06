#include "src/train/training_bytes.hpp"

namespace recombine {

TrainingBytes training_bytes(const Mesh& mesh, const TrainerOptions& options, std::int64_t largest_batch) {
  const ModelShape& model = options.model;
  const auto f32 = static_cast<double>(size_of(DataType::f32));
  const double rounded = model.product_type == DataType::f32 ? 0 : static_cast<double>(size_of(model.product_type));
  const double rows = static_cast<double>(split_range(largest_batch, mesh.extent(Axis::i), 0).size());
  const OptimizerKind kind = options.optimizer.kind;
  const int moments = kind == OptimizerKind::sgd ? 0 : kind == OptimizerKind::momentum ? 1 : 2;

  TrainingBytes bytes;
  bytes.parameters = static_cast<double>(model.parameters()) * ((3 + moments) * f32 + rounded);
  bytes.values = rows * static_cast<double>(model.inputs) * (f32 + rounded);
  const auto add_layer = [&](std::int64_t width, Activation activation) {
    const int kept = gradient_needs_input(activation) ? 3 : 2;  // y, dy, and z if the activation's gradient needs it
    bytes.values += rows * static_cast<double>(width) * (kept * f32 + 2 * rounded);
  };
  for (const std::int64_t width : model.hidden) add_layer(width, model.activation);
  add_layer(model.outputs, Activation::identity);
  return bytes;
}

}  // namespace recombine
