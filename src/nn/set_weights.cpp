#include "src/nn/set_weights.hpp"

#include "kernels/error.hpp"

namespace recombine {

void set_weights(RankContext& context, Model& model, std::span<const float> values) {
  const ParameterLayout& layout = model.layout();
  require(std::ssize(values) == layout.file_size(), "{} values for a network with {} parameters", values.size(),
          layout.file_size());
  std::vector<float> part;
  for (std::size_t t = 0; t < layout.tensors().size(); ++t) {
    const DistMatrix matrix = layout.matrix(t, model.weights());
    const float* const tensor = values.data() + layout.tensors()[t].file_begin;
    for (const Block& block : matrix.blocks()) {
      part.clear();
      for (std::int64_t row = block.rows.begin; row < block.rows.end; ++row) {
        const float* const begin = tensor + row * matrix.cols();
        part.insert(part.end(), begin + block.cols.begin, begin + block.cols.end);
      }
      context.device().copy(context.compute(), as_vector(block.view),
                            vector_view(static_cast<const float*>(part.data()), std::ssize(part)));
    }
  }
  context.compute().synchronize();
  model.round_weights();
}

}  // namespace recombine
