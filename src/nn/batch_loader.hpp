#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "src/nn/dataset.hpp"
#include "src/nn/model.hpp"
#include "src/nn/row_stream.hpp"

namespace recombine {

/// Where the rows of a batch are in the table: row b of the batch is at position first + b of the order.
struct BatchSource {
  std::int64_t first = 0;
  const BatchOrder* order = nullptr;  ///< in the device's memory; null: the order of the table
};

/// Copies the features of a batch to the model's input.
class BatchLoader {
 public:
  BatchLoader(RankContext& context, std::int64_t largest_batch);

  /// Allocates what streamed tables need (Table::streamed).
  /// @param size  of the largest batch; on a GPU: of the largest step
  void make_stream(const RowStream::Size& size);

  /// Enqueues the copy of rows to the local blocks of X [batch, inputs]. If the table is streamed, this call reads its
  /// rows, and may wait for them; but if the host cannot read the order, it uses the rows of the latest stage().
  void load(const Table& table, const Affine& input, const DistMatrix& x, const BatchSource& source);

  /// A step of micro-batches on a GPU, which the host enqueues once and the GPU repeats.
  struct Step {
    BatchOrder order;
    std::int64_t rows = 0;
    std::int64_t batch_size = 0;  ///< of all micro-batches but the last
  };
  /// Brings all rows of a step on a streamed table to the GPU. Call it before the step is enqueued or repeated.
  /// @returns which memory the step must read: 0 or 1
  int stage(const Table& table, const Step& step);

  /// The rows of the table [block.rows] i64 that the last load() gave to the block's rows, in the device's memory.
  ConstVectorView rows_of(const Block& block) const;
  /// How many rows of a batch of `rows` rows this rank loads.
  std::int64_t local_rows(std::int64_t rows) const;

 private:
  struct Positions;
  struct Staged {
    ConstMatrixView features;
    std::int64_t batch_size;
  };
  const Range& range_of(const Block& block) const;
  std::vector<Range> parts_of(std::int64_t rows) const;
  RowStream::Batch batch_at(const Table& table, const Positions& positions) const;
  RowStream::Arrived bring(const Table& table, const Positions& positions);
  ConstMatrixView arrived(const Table& table, std::int64_t rows, const BatchSource& source);

  RankContext& context_;
  Buffer rows_;               ///< for each local row, block after block: its row in the table
  Buffer positions_;          ///< 0, 1, 2, ...: the rows of a streamed table
  std::vector<Range> local_;  ///< per row block: the range of its rows in rows_
  std::vector<int> parts_;
  std::unique_ptr<RowStream> stream_;  ///< null unless a table is streamed
  std::optional<Staged> staged_;
};

}  // namespace recombine
