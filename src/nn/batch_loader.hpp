#pragma once

#include <functional>
#include <vector>

#include "src/nn/dataset.hpp"
#include "src/nn/model.hpp"

namespace recombine {

/// Copies the features of a batch to the model's input.
class BatchLoader {
 public:
  BatchLoader(RankContext& context, std::int64_t largest_batch);

  /// Fills the local blocks of X [batch, inputs]. Row b of the batch is row row_of(b) of the table.
  void load(const Table& table, const Affine& input, const DistMatrix& x,
            const std::function<std::int64_t(std::int64_t)>& row_of);

  /// The rows of the table [block.rows] i64 that the last load() gave to the block's rows, in the device's memory.
  ConstVectorView rows_of(const Block& block) const;

 private:
  RankContext& context_;
  std::vector<std::int64_t> host_rows_;  ///< for each local row, block after block: its row in the table
  Buffer rows_;                          ///< the same in the device's memory
  std::vector<Range> local_;             ///< per row block: the range of its rows in rows_
  std::vector<int> parts_;
};

}  // namespace recombine
