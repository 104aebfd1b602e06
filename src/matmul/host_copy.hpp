#pragma once

#include "distributed/rank_context.hpp"

namespace recombine {

/// A matrix of the rank's device where the host can read it: itself on the CPU, a copy of a GPU's memory.
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
