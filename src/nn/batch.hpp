#pragma once

#include <functional>
#include <vector>

#include "src/data/dataset.hpp"
#include "src/nn/model.hpp"

namespace recombine {

enum class LossKind { mse, cross_entropy };

/// Brings the rows of a batch to the model and the answers to the loss.
class BatchLoader {
 public:
  BatchLoader(MeshRank& rank, std::int64_t largest_batch);

  /// Fills the local blocks of X [batch, inputs]; row b of the batch is row_of(b) of the table.
  void load(const Table& table, const Affine& input, const DistMatrix& x,
            const std::function<std::int64_t(std::int64_t)>& row_of);

  /// Adds the loss of outputs Y [batch, outputs] to *sums and, unless `gradient` is null, sets dLoss/dY of the mean
  /// over the global batch. For the rows that load() brought. @pre Y is in one block of columns
  void loss(const Table& table, LossKind kind, const DistMatrix& y, const DistMatrix* gradient, LossSums* sums);

 private:
  ConstVectorView rows_of(const Block& block) const;

  MeshRank& rank_;
  std::vector<std::int64_t> host_rows_;  ///< row of the table for each local row, block after block
  Buffer rows_;                          ///< the same in the device's memory
  std::vector<Range> local_;             ///< per row block: where its rows lie in rows_
  std::vector<int> parts_;
};

}  // namespace recombine
