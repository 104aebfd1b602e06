#pragma once

#include <functional>
#include <vector>

#include "src/data/dataset.hpp"
#include "src/nn/model.hpp"

namespace recombine {

enum class LossKind { mse, cross_entropy };

struct LossCall {
  LossKind kind = LossKind::cross_entropy;
  std::int64_t batch_rows = 0;           ///< of the whole batch; Loss is the mean over them
  const DistMatrix* gradient = nullptr;  ///< unless null, it is set to dLoss/dY
  LossSums* sums = nullptr;              ///< in the device's memory
};

/// Copies the features of a batch to the model's input, and computes the loss with the targets of the same rows.
class BatchLoader {
 public:
  BatchLoader(RankContext& context, std::int64_t largest_batch);

  /// Fills the local blocks of X [batch, inputs]. Row b of the batch is row row_of(b) of the table.
  void load(const Table& table, const Affine& input, const DistMatrix& x,
            const std::function<std::int64_t(std::int64_t)>& row_of);

  /// Adds the loss of the outputs Y [batch, outputs] for the rows of the last load() to *call.sums.
  /// @pre the columns of Y are not cut
  void loss(const Table& table, const DistMatrix& y, const LossCall& call);

 private:
  ConstVectorView rows_of(const Block& block) const;

  RankContext& context_;
  std::vector<std::int64_t> host_rows_;  ///< for each local row, block after block: its row in the table
  Buffer rows_;                          ///< the same in the device's memory
  std::vector<Range> local_;             ///< per row block: the range of its rows in rows_
  std::vector<int> parts_;
};

}  // namespace recombine
