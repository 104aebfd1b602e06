#pragma once

#include "distributed/mesh.hpp"

namespace recombine {

/// A part of a batch that goes through the model at once. The gradients of a batch's micro-batches are added on each
/// rank, and summed over the ranks after the last one.
struct MicroBatch {
  Range rows;                   ///< positions within the batch
  std::int64_t batch_rows = 0;  ///< rows of the whole batch: the loss is the mean over them
  bool first = true;            ///< of its batch: its gradient replaces the old one
  bool last = true;             ///< of its batch: the gradient is complete on this rank
};

}  // namespace recombine
