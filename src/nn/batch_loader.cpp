#include "src/nn/batch_loader.hpp"

#include <algorithm>

#include "kernels/error.hpp"

namespace recombine {

BatchLoader::BatchLoader(RankContext& context, std::int64_t largest_batch) : context_(context) {
  const std::int64_t local =
      DistMatrix::local_size(context.mesh(), context.coord(), {largest_batch, 1}, {.rows = Axis::i, .cols = {}});
  rows_ = Buffer(context.device(), DataType::i64, local);
}

void BatchLoader::load(const Table& table, const Affine& input, const DistMatrix& x, const BatchSource& source) {
  local_.clear();
  parts_.clear();
  std::int64_t begin = 0;
  for (const Block& block : x.blocks()) {
    // Blocks of one row part are neighbours and have the same rows.
    if (!parts_.empty() && parts_.back() == block.row_part) continue;
    const Range local{begin, begin + block.rows.size()};
    context_.math().batch_rows(context_.compute(), {.order = source.order,
                                                    .first = source.first + block.rows.begin,
                                                    .rows = rows_.view().range(local.begin, local.end)});
    local_.push_back(local);
    parts_.push_back(block.row_part);
    begin = local.end;
  }

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
