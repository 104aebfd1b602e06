#pragma once

#include <utility>

#include "distributed/dist_matrix.hpp"
#include "distributed/rank_context.hpp"

namespace recombine {

/// A DistMatrix with the memory of this rank's blocks. The elements are not initialised.
class OwnedMatrix : public DistMatrix {
 public:
  OwnedMatrix(const RankContext& context, Shape shape, const Placement& placement, DataType type = DataType::f32)
      : OwnedMatrix(context, shape, placement, Buffer(context.device(), type, size_in(context, shape, placement))) {}

  /// Uses memory in which sums along `axis` are fastest (Communicator::allocate). Blocks; every rank along `axis` calls
  /// it while no communication stream has work.
  static OwnedMatrix summed_over(Axis axis, const RankContext& context, Shape shape, const Placement& placement,
                                 DataType type = DataType::f32) {
    return {context, shape, placement,
            context.communicator(axis).allocate(context.device(), type, size_in(context, shape, placement),
                                                MemoryUse::buffers)};
  }

 private:
  OwnedMatrix(const RankContext& context, Shape shape, const Placement& placement, Buffer memory)
      : DistMatrix(context.mesh(), context.coord(), shape, placement, memory.view()), memory_(std::move(memory)) {}
  static std::int64_t size_in(const RankContext& context, Shape shape, const Placement& placement) {
    return local_size(context.mesh(), context.coord(), shape, placement);
  }

  Buffer memory_;
};

}  // namespace recombine
