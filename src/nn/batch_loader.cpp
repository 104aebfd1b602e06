#include "src/nn/batch_loader.hpp"

#include <algorithm>

#include "kernels/error.hpp"

namespace recombine {

/// Consecutive positions of the order in micro-batches of `batch_size`.
struct BatchLoader::Positions {
  const BatchOrder* order;  ///< in the host's memory; null: the order of the table
  std::int64_t first, rows;
  std::int64_t batch_size;

  std::int64_t begin() const { return first + (order ? order->position : 0); }
  /// The positions after these in a table of `size` rows.
  Positions next(std::int64_t size) const {
    return {order, first + rows, std::clamp<std::int64_t>(size - begin() - rows, 0, rows), batch_size};
  }
};

BatchLoader::BatchLoader(RankContext& context, std::int64_t largest_batch) : context_(context) {
  rows_ = Buffer(context.device(), DataType::i64, local_rows(largest_batch));
}

void BatchLoader::make_stream(const RowStream::Size& size) {
  stream_ = std::make_unique<RowStream>(context_, size);
  positions_ = Buffer(context_.device(), DataType::i64, rows_.view().size);
  context_.math().batch_rows(context_.compute(), {.rows = positions_.view()});
}

std::vector<Range> BatchLoader::parts_of(std::int64_t rows) const {
  std::vector<Range> parts;
  for (const Block& block :
       DistMatrix::blocks_of(context_.mesh(), context_.coord(), {rows, 1}, {.rows = Axis::i, .cols = {}})) {
    parts.push_back(block.rows);
  }
  return parts;
}

std::int64_t BatchLoader::local_rows(std::int64_t rows) const {
  std::int64_t sum = 0;
  for (const Range& part : parts_of(rows)) sum += part.size();
  return sum;
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

  const ConstMatrixView features = table.streamed ? arrived(table, x.rows(), source) : table.features;
  for (const Block& block : x.blocks()) {
    const Range at = table.streamed ? range_of(block) : Range{0, table.rows()};
    context_.math().gather_rows(
        context_.compute(),
        {.source = features.block(at.begin, block.cols.begin, at.size(), block.cols.size()),
         .rows = table.streamed ? ConstVectorView(positions_.view().range(0, at.size())) : rows_of(block),
         .out = block.view,
         .scale = input.scale,
         .shift = input.shift});
  }
}

const Range& BatchLoader::range_of(const Block& block) const {
  const auto at = std::ranges::find(parts_, block.row_part);
  require(at != parts_.end(), "row block {} was not loaded", block.row_part);
  return local_[static_cast<std::size_t>(at - parts_.begin())];
}

ConstVectorView BatchLoader::rows_of(const Block& block) const {
  const Range& range = range_of(block);
  return rows_.view().range(range.begin, range.end);
}

RowStream::Batch BatchLoader::batch_at(const Table& table, const Positions& positions) const {
  RowStream::Batch batch{table, {}, {}};
  if (positions.order) batch.order = positions.order->permutation;
  const std::int64_t end = positions.begin() + positions.rows;
  for (std::int64_t begin = positions.begin(); begin < end; begin += positions.batch_size) {
    for (const Range& part : parts_of(std::min(positions.batch_size, end - begin))) {
      batch.positions.push_back({begin + part.begin, begin + part.end});
    }
  }
  return batch;
}

RowStream::Arrived BatchLoader::bring(const Table& table, const Positions& positions) {
  require(stream_ != nullptr, "a streamed table without make_stream()");
  return stream_->bring(batch_at(table, positions), batch_at(table, positions.next(table.rows())));
}

/// The features of this rank's rows of a batch of a streamed table.
ConstMatrixView BatchLoader::arrived(const Table& table, std::int64_t rows, const BatchSource& source) {
  if (source.order == nullptr || context_.device().kind() == DeviceKind::cpu) {
    return bring(table, {source.order, source.first, rows, rows}).features;
  }
  require(staged_.has_value(), "a step on a streamed table without stage()");
  const std::int64_t before = source.first / staged_->batch_size * local_rows(staged_->batch_size);
  return staged_->features.block(before, 0, local_rows(rows), table.features.cols);
}

int BatchLoader::stage(const Table& table, const Step& step) {
  const RowStream::Arrived all = bring(table, {&step.order, 0, step.rows, step.batch_size});
  staged_ = {all.features, step.batch_size};
  return all.slot;
}

}  // namespace recombine
