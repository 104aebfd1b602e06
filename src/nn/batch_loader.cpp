#include "src/nn/batch_loader.hpp"

#include <algorithm>

#include "kernels/error.hpp"

namespace recombine {

BatchLoader::BatchLoader(RankContext& context, std::int64_t largest_batch) : context_(context) {
  const std::int64_t local =
      DistMatrix::local_size(context.mesh(), context.coord(), {largest_batch, 1}, {.rows = Axis::i, .cols = {}});
  rows_ = Buffer(context.device(), DataType::i64, local);
}

void BatchLoader::load(const Table& table, const Affine& input, const DistMatrix& x,
                       const std::function<std::int64_t(std::int64_t)>& row_of) {
  host_rows_.clear();
  local_.clear();
  parts_.clear();
  for (const Block& block : x.blocks()) {
    // Blocks of one row part are neighbours and have the same rows.
    if (!parts_.empty() && parts_.back() == block.row_part) continue;
    const auto begin = static_cast<std::int64_t>(host_rows_.size());
    for (std::int64_t b = block.rows.begin; b < block.rows.end; ++b) host_rows_.push_back(row_of(b));
    local_.push_back({begin, begin + block.rows.size()});
    parts_.push_back(block.row_part);
  }
  const auto count = static_cast<std::int64_t>(host_rows_.size());
  context_.device().copy(context_.compute(), rows_.view().range(0, count), vector_view(host_rows_.data(), count));

  for (const Block& block : x.blocks()) {
    const ConstMatrixView columns = table.features.block(0, block.cols.begin, table.rows(), block.cols.size());
    context_.math().gather_rows(
        context_.compute(),
        {.source = columns, .rows = rows_of(block), .out = block.view, .scale = input.scale, .shift = input.shift});
  }
}

ConstVectorView BatchLoader::rows_of(const Block& block) const {
  const auto at = std::ranges::find(parts_, block.row_part);
  require(at != parts_.end(), "row block {} was not loaded", block.row_part);
  const Range range = local_[static_cast<std::size_t>(at - parts_.begin())];
  return rows_.view().range(range.begin, range.end);
}

}  // namespace recombine
