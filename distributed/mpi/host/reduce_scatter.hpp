#pragma once

#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/mpi/host/steps.hpp"

namespace recombine::mpi {

/// Step s of a reduce_scatter on three ranks. a, b, c: chunk s of the pieces of ranks 0, 1, 2. a1: rank 1's term of a.
/// A slot has room for a chunk for every rank except its owner.
///
///     rank 0   fills [b0 c0]   takes a1 from slot 1, a2 from slot 2:   a = (a0 + a1) + a2   in place
///     rank 1   fills [a1 c1]   takes b0 from slot 0, b2 from slot 2:   b = (b0 + b1) + b2
///     rank 2   fills [a2 b2]   takes c0 from slot 0, c1 from slot 1:   c = (c0 + c1) + c2
class ReduceScatter final : public StepsTask {
 public:
  ReduceScatter(Channel& channel, std::vector<VectorView> pieces, Reduction reduction, const Call& call);

  /// Number of elements of this rank's piece that are summed so far.
  std::int64_t summed() const { return std::min(own().size, taken() * chunk_); }

 private:
  void fill_step(std::int64_t step) override;
  void take_step(std::int64_t step) override;

  VectorView own() const { return pieces_[channel().rank()]; }
  /// The offset of the part for `reader` in the slot of rank `owner`, in bytes.
  std::int64_t place(std::size_t owner, std::size_t reader) const;

  std::vector<VectorView> pieces_;
  Reduction reduction_;
  std::int64_t chunk_;  ///< elements of one piece in one step
  std::vector<const std::byte*> terms_;
};

}  // namespace recombine::mpi
