#include "src/train/training_bytes.hpp"

namespace recombine {

TrainingBytes training_bytes(const Mesh& mesh, const TrainerOptions& options, std::int64_t largest_batch) {
  const ModelShape& model = options.model;
  const auto f32 = static_cast<double>(size_of(DataType::f32));
  const double rounded = model.product_type == DataType::f32 ? 0 : static_cast<double>(size_of(model.product_type));
  // The first part along an axis is never smaller than the others.
  const auto first_part = [&](std::int64_t extent, Axis axis) {
    return static_cast<double>(split_range(extent, mesh.parts(axis), 0).size());
  };
  const auto values = [&](std::int64_t width, Axis axis) {
    return first_part(largest_batch, Axis::i) * first_part(width, axis);
  };
  const OptimizerKind kind = options.optimizer.kind;
  const int moments = kind == OptimizerKind::sgd ? 0 : kind == OptimizerKind::momentum ? 1 : 2;

  TrainingBytes bytes;
  model.parameters();  // refuses too many to count
  const ParameterLayout layout(model, mesh, Coord{});
  bytes.parameters = static_cast<double>(layout.local_size()) * ((2 + moments) * f32 + rounded);
  bytes.values = values(model.inputs, axes_of(0).in) * (f32 + rounded);
  for (std::size_t l = 0; l < model.layers(); ++l) {
    // y, dy, and z if the activation's gradient needs it
    const int kept = gradient_needs_input(model.activation_of(l)) ? 3 : 2;
    bytes.values += values(model.outputs_of(l), axes_of(l).out) * (kept * f32 + 2 * rounded);
  }
  return bytes;
}

}  // namespace recombine
