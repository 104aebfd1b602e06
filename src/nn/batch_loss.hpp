#pragma once

#include "src/nn/batch_loader.hpp"

namespace recombine {

enum class LossKind { mse, cross_entropy };

struct LossCall {
  LossKind kind = LossKind::cross_entropy;
  std::int64_t batch_rows = 0;           ///< of the whole batch; Loss is the mean over them
  const DistMatrix* gradient = nullptr;  ///< unless null, it is set to dLoss/dY
  LossSums* sums = nullptr;              ///< in the device's memory
};

/// The loss of a batch whose outputs Y [batch, outputs] lie on any mesh.
///
/// The squared error is a sum over columns: each rank adds the terms of its own columns. Softmax needs whole rows. If the
/// columns are cut, each rank computes the statistics of its part of a row (16 bytes), the ranks gather the statistics
/// of all parts, and each rank joins them in the order of the parts:
///
///     Y [m, n/2] on rank 0 -> stats [m] -+               +-> losses of the rows, gradient [m, n/2] on rank 0
///                                        +- all_gather  -+
///     Y [m, n/2] on rank 1 -> stats [m] -+               +-> gradient [m, n/2] on rank 1
class BatchLoss {
 public:
  /// Blocks; every rank of the mesh calls it. @param model  gives the placement of Y
  BatchLoss(RankContext& context, const Model& model, std::int64_t largest_batch);

  /// Adds this rank's terms of the loss to *call.sums, so that the sum over all ranks counts each row once. `batch` has
  /// loaded the rows of Y.
  void add(const Table& table, const BatchLoader& batch, const DistMatrix& y, const LossCall& call);

 private:
  struct Rows;
  void cross_entropy(const Rows& rows, int parts);
  /// False if another rank adds the loss of this rank's rows: the rank at coordinate 0 along each axis on which the
  /// ranks compute the same losses.
  bool counts(LossKind kind) const;

  RankContext& context_;
  Axis cols_;     ///< cuts the columns of Y
  Axis copies_;   ///< along it, the ranks have the same blocks of Y
  Buffer stats_;  ///< [parts of columns, rows] SoftmaxRowStats, as f32; empty if the columns are not cut
};

}  // namespace recombine
