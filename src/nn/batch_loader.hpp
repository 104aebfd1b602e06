#pragma once

#include <vector>

#include "src/nn/dataset.hpp"
#include "src/nn/model.hpp"

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

  /// Enqueues the copy of rows to the local blocks of X [batch, inputs].
  void load(const Table& table, const Affine& input, const DistMatrix& x, const BatchSource& source);

  /// The rows of the table [block.rows] i64 that the last load() gave to the block's rows, in the device's memory.
  ConstVectorView rows_of(const Block& block) const;

 private:
  RankContext& context_;
  Buffer rows_;               ///< for each local row, block after block: its row in the table
  std::vector<Range> local_;  ///< per row block: the range of its rows in rows_
  std::vector<int> parts_;
};

}  // namespace recombine
