#include "src/nn/fingerprint.hpp"

#include "kernels/error.hpp"

namespace recombine {

namespace {

/// How many ranks hold each element of a tensor.
int copies_of(const ParameterTensor& tensor, const Mesh& mesh) {
  int copies = 1;
  for (const Axis axis : kAxes) copies *= tensor.placement.cuts(axis) ? 1 : mesh.extent(axis);
  return copies;
}

/// This rank's sum for each tensor, on the host. Sums of i64 wrap around.
std::vector<std::int64_t> local_sums(RankContext& context, const Model& model) {
  const auto count = static_cast<std::int64_t>(model.layout().tensors().size());
  std::vector<std::int64_t> sums(static_cast<std::size_t>(count));
  const Buffer on_device(context.device(), DataType::i64, count);
  context.device().copy(context.compute(), on_device.view(), vector_view(sums.data(), count));
  for (std::size_t t = 0; t < sums.size(); ++t) {
    const DistMatrix weights = model.layout().matrix(t, model.weights());
    for (const Block& block : weights.blocks()) {
      context.math().fingerprint(context.compute(), {.block = block.view,
                                                     .tensor = t,
                                                     .first_row = block.rows.begin,
                                                     .first_col = block.cols.begin,
                                                     .global_cols = weights.cols(),
                                                     .sum = on_device.view().as<std::int64_t>() + t});
    }
  }
  context.device().copy(context.compute(), vector_view(sums.data(), count), on_device.view());
  context.compute().synchronize();
  return sums;
}

}  // namespace

std::uint64_t weights_fingerprint(RankContext& context, Communicator& world, Stream& stream, const Model& model) {
  const std::vector<ParameterTensor>& tensors = model.layout().tensors();
  // For each tensor: the sum over all ranks, and over one holder of each part.
  std::vector<std::int64_t> sums = local_sums(context, model);
  sums.resize(2 * tensors.size());
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (in_one_replica(tensors[t].placement, context.coord(), Coord{})) sums[tensors.size() + t] = sums[t];
  }
  world.all_reduce(stream, vector_view(sums.data(), static_cast<std::int64_t>(sums.size())), Reduction::sum);
  stream.synchronize();
  std::uint64_t fingerprint = 0;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const auto once = static_cast<std::uint64_t>(sums[tensors.size() + t]);
    const auto copies = static_cast<std::uint64_t>(copies_of(tensors[t], context.mesh()));
    require(static_cast<std::uint64_t>(sums[t]) == copies * once,
            "{}: the ranks that hold copies of it have different values", tensors[t].name);
    fingerprint += once;
  }
  return fingerprint;
}

}  // namespace recombine
