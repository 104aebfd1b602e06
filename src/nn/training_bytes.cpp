#include "src/nn/training_bytes.hpp"

#include <algorithm>
#include <array>

#include "kernels/softmax_row_stats.hpp"

namespace recombine {

namespace {

double bytes_of(DataType type) { return static_cast<double>(size_of(type)); }

}  // namespace

MemoryBytes training_bytes(const Mesh& mesh, const Coord& coord, const TrainerOptions& options,
                           std::int64_t largest_batch) {
  const ModelShape& model = options.model;
  model.parameters();  // refuses too many to count
  constexpr auto kF32 = static_cast<double>(sizeof(float));
  const auto local = [&](DistMatrix::Shape shape, const Placement& placement) {
    double elements = 0;
    for (const Block& block : DistMatrix::blocks_of(mesh, coord, shape, placement)) {
      elements += static_cast<double>(block.rows.size()) * static_cast<double>(block.cols.size());
    }
    return elements;
  };
  const auto values = [&](std::int64_t width, Axis axis) {
    return local({largest_batch, width}, values_placement(axis));
  };
  const auto parameters = static_cast<double>(ParameterLayout(model, mesh, coord).local_size());

  MemoryBytes bytes;
  const bool rounds = model.product_type != DataType::f32;     // then there is a copy of the weights
  const int kept = options.kept == KeptWeights::best ? 1 : 0;  // a copy of the best weights
  bytes[MemoryUse::weights] = parameters * (kF32 * (1 + kept) + (rounds ? bytes_of(model.product_type) : 0));
  bytes[MemoryUse::gradients] = parameters * kF32;
  const int moments = moments_of(options.optimizer.kind);
  bytes[MemoryUse::moments] = parameters * kF32 * moments;
  double& activations = bytes[MemoryUse::activations];
  activations = values(model.inputs, axes_of(0).in) * bytes_of(model.product_type);
  std::array<double, 3> sums{};  // per axis: f32 memory that its layers share
  for (std::size_t l = 0; l < model.layers(); ++l) {
    const double elements = values(model.outputs_of(l), axes_of(l).out);
    const double y = bytes_of(model.output_type_of(l));
    const double z = gradient_needs_input(model.activation_of(l)) ? y : 0;
    activations += elements * (y + z + bytes_of(model.product_type));
    double& sum = sums[static_cast<std::size_t>(axes_of(l).in)];
    if (model.sums_apart(mesh, l)) sum = std::max(sum, elements * kF32);
  }
  for (const double sum : sums) activations += sum;
  // Row numbers of the batch, values of steps, ranges without weight decay, and the statistics of softmax. The sums of an
  // evaluation, or the sums of a comparison of replicas.
  const double rows = local({largest_batch, 1}, {.rows = Axis::i, .cols = {}});
  const int class_parts = mesh.parts(axes_of(model.layers() - 1).out);
  const bool has_undecayed = options.optimizer.weight_decay > 0 && model.bias != Bias::none;
  const std::size_t tensors = model.layers() * (model.bias == Bias::none ? 1 : 2);
  const double compared = 2.0 * sizeof(std::int64_t) * static_cast<double>(tensors) * (1 + moments + kept);
  bytes[MemoryUse::buffers] = rows * sizeof(std::int64_t) + sizeof(StepSums) * StepRing::kMostSteps +
                              sizeof(StepValues) + std::max<double>(sizeof(LossSums), compared) +
                              (has_undecayed ? 2.0 * sizeof(std::int64_t) * static_cast<double>(model.layers()) : 0) +
                              (class_parts > 1 ? rows * class_parts * sizeof(SoftmaxRowStats) : 0);
  return bytes;
}

double staging_bytes(const Mesh& mesh, const Coord& coord, const SharedData& data, std::int64_t largest_batch) {
  double row_bytes = 0;
  for (const Table* table : {&data.train(), &data.validation(), &data.test()}) {
    if (table->stored) row_bytes = static_cast<double>(table->features.cols * size_of(table->features.type));
  }
  if (row_bytes == 0) return 0;
  const std::int64_t rows = DistMatrix::local_size(mesh, coord, {largest_batch, 1}, {.rows = Axis::i, .cols = {}});
  return static_cast<double>(rows) * (RowStream::kSlots * row_bytes + sizeof(std::int64_t));  // and row numbers
}

double table_bytes(const SharedData& data) {
  double bytes = 0;
  for (const Table* table : {&data.train(), &data.validation(), &data.test()}) {
    if (!table->stored) bytes += static_cast<double>(as_vector(table->features).bytes());
    bytes += static_cast<double>(table->labels.bytes() + as_vector(table->targets).bytes());
  }
  return bytes;
}

}  // namespace recombine
