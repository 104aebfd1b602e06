#pragma once

#include <vector>

#include "distributed/mpi/host/steps.hpp"

namespace recombine::mpi {

/// Step s of an all_gather on three ranks. a, b, c: chunk s of the pieces of ranks 0, 1, 2.
///
///     rank 0   fills [a]   takes b from slot 1, c from slot 2
///     rank 1   fills [b]   takes c from slot 2, a from slot 0
///     rank 2   fills [c]   takes a from slot 0, b from slot 1
class AllGather final : public StepsTask {
 public:
  AllGather(Channel& channel, std::vector<VectorView> pieces, const Call& call);

  /// From now on, only the first `elements` elements of this rank's piece are sent. At first, all elements are.
  void set_ready(std::int64_t elements) { ready_ = elements; }

 private:
  bool can_fill() override;
  void fill_step(std::int64_t step) override;
  void take_step(std::int64_t step) override;

  VectorView own() const { return pieces_[channel().rank()]; }

  std::vector<VectorView> pieces_;
  std::int64_t chunk_;  ///< elements of one piece in one step
  std::int64_t ready_;
};

}  // namespace recombine::mpi
