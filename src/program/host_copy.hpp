#pragma once

#include "distributed/rank_context.hpp"

namespace recombine {

/// A matrix of the rank's device in memory that the host can read: the matrix itself on a CPU, a copy from a GPU.
class HostCopy {
 public:
  /// Waits for the compute stream. @pre the matrix is contiguous
  HostCopy(const RankContext& context, ConstMatrixView matrix);

  ConstMatrixView view() const { return view_; }

 private:
  Buffer memory_;
  ConstMatrixView view_;
};

}  // namespace recombine
