#include "src/nn/batch_loss.hpp"

#include <vector>

#include "distributed/recombine.hpp"
#include "kernels/error.hpp"
#include "kernels/softmax_row_stats.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kFloats = sizeof(SoftmaxRowStats) / sizeof(float);

}  // namespace

/// The rows of one block of Y, and where their loss goes.
struct BatchLoss::Rows {
  const Table& table;
  ConstVectorView numbers;  ///< of the rows in the table
  const Block& outputs;
  MatrixView gradient;
  float scale;
  LossSums* sums;
};

BatchLoss::BatchLoss(RankContext& context, const Model& model, std::int64_t largest_batch) : context_(context) {
  const LayerAxes axes = axes_of(model.shape().layers() - 1);
  cols_ = axes.out;
  copies_ = axes.in;
  const int parts = context.mesh().parts(cols_);
  if (parts == 1) return;
  const std::int64_t rows =
      DistMatrix::local_size(context.mesh(), context.coord(), {largest_batch, 1}, {.rows = Axis::i, .cols = {}});
  stats_ =
      context.communicator(cols_).allocate(context.device(), DataType::f32, parts * rows * kFloats, MemoryUse::buffers);
}

bool BatchLoss::counts(LossKind kind) const {
  const Coord& at = context_.coord();
  return at[copies_] == 0 && (kind == LossKind::mse || at[cols_] == 0);
}

void BatchLoss::add(const Table& table, const BatchLoader& batch, const DistMatrix& y, const LossCall& call) {
  const float scale = call.gradient ? 1.0F / static_cast<float>(call.batch_rows) : 0;
  const int parts = context_.mesh().parts(cols_);
  for (const Block& block : y.blocks()) {
    const MatrixView gradient =
        call.gradient ? call.gradient->find(block.row_part, block.col_part)->view : MatrixView{};
    const Rows rows{table, batch.rows_of(block), block, gradient, scale, counts(call.kind) ? call.sums : nullptr};
    if (call.kind == LossKind::mse) {
      context_.math().squared_error(context_.compute(), {.outputs = block.view,
                                                         .targets = table.targets,
                                                         .rows = rows.numbers,
                                                         .gradient = gradient,
                                                         .gradient_scale = scale,
                                                         .sums = rows.sums,
                                                         .first_col = block.cols.begin,
                                                         .global_cols = y.cols()});
    } else if (parts == 1) {
      context_.math().softmax_cross_entropy(context_.compute(), {.logits = block.view,
                                                                 .labels = table.labels,
                                                                 .rows = rows.numbers,
                                                                 .gradient = gradient,
                                                                 .gradient_scale = scale,
                                                                 .sums = rows.sums});
    } else {
      cross_entropy(rows, parts);
    }
  }
}

void BatchLoss::cross_entropy(const Rows& rows, int parts) {
  const Block& block = rows.outputs;
  const std::int64_t m = block.view.rows;
  const VectorView memory = stats_.view().range(0, parts * m * kFloats);
  auto* const stats = reinterpret_cast<SoftmaxRowStats*>(memory.data);
  context_.math().softmax_stats(context_.compute(), {.logits = block.view,
                                                     .labels = rows.table.labels,
                                                     .rows = rows.numbers,
                                                     .first_col = block.cols.begin,
                                                     .stats = stats + block.col_part * m});
  const std::vector<std::int64_t> counts(static_cast<std::size_t>(parts), m * kFloats);
  recombine(context_, {.axis = cols_,
                       .data = memory,
                       .from = State::sharded,
                       .to = State::replicated,
                       .counts = counts,
                       .what = {.name = "gather softmax"}});
  context_.math().softmax_from_stats(context_.compute(), {.logits = block.view,
                                                          .labels = rows.table.labels,
                                                          .rows = rows.numbers,
                                                          .first_col = block.cols.begin,
                                                          .stats = stats,
                                                          .parts = parts,
                                                          .gradient = rows.gradient,
                                                          .gradient_scale = rows.scale,
                                                          .sums = rows.sums});
}

}  // namespace recombine
