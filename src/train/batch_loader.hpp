#pragma once

#include <functional>
#include <vector>

#include "src/data/dataset.hpp"
#include "src/nn/model.hpp"

namespace recombine {

enum class LossKind { mse, cross_entropy };

/// Copies the features of a batch to the model's input, and computes the loss with the targets of the same rows.
class BatchLoader {
 public:
  BatchLoader(RankContext& context, std::int64_t largest_batch);

  /// Fills the local blocks of X [batch, inputs]. Row b of the batch is row row_of(b) of the table.
  void load(const Table& table, const Affine& input, const DistMatrix& x,
            const std::function<std::int64_t(std::int64_t)>& row_of);

  /// Adds the loss of the outputs Y [batch, outputs] for the rows of the last load() to *sums. Unless `gradient` is
  /// null, sets it to dLoss/dY, where Loss is the mean over the global batch. @pre the columns of Y are not cut
  void loss(const Table& table, LossKind kind, const DistMatrix& y, const DistMatrix* gradient, LossSums* sums);

 private:
  ConstVectorView rows_of(const Block& block) const;

  RankContext& context_;
  std::vector<std::int64_t> host_rows_;  ///< for each local row, block after block: its row in the table
  Buffer rows_;                          ///< the same in the device's memory
  std::vector<Range> local_;             ///< per row block: the range of its rows in rows_
  std::vector<int> parts_;
};

}  // namespace recombine
