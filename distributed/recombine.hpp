#pragma once

#include <span>

#include "distributed/dist_matrix.hpp"
#include "distributed/observe/what.hpp"
#include "distributed/rank_context.hpp"

namespace recombine {

/// A change of state. The ranks along `axis` hold the data in state `from` and need it in state `to`:
///
///     Partial --all_reduce--> Replicated    Partial --reduce_scatter--> Sharded    Sharded --all_gather--> Replicated
struct Recombination {
  Axis axis;
  VectorView data;  ///< in place; the same size on every rank
  State from = State::partial;
  State to = State::replicated;
  /// If `from` or `to` is Sharded: the number of elements of each rank's piece of `data`, in rank order.
  std::span<const std::int64_t> counts = {};
  What what = {};
  /// What the host does next: enqueue more arithmetic, or wait for the result at once.
  RankContext::Next next = RankContext::Next::computes;
};

/// A recombination that has started. Until wait(), neither the compute stream nor the host may touch its data.
class [[nodiscard]] Pending {
 public:
  Pending() = default;
  Pending(RankContext& context, Event done) : context_(&context), done_(std::move(done)) {}
  /// Makes the compute stream wait for the result.
  void wait() {
    if (done_) context_->compute_waits(done_);
    done_.reset();
  }
  /// Makes `stream`, of the same device, wait for the result.
  void wait(Stream& stream) {
    if (done_) stream.wait(done_);
    done_.reset();
  }

 private:
  RankContext* context_ = nullptr;
  Event done_;
};

/// Starts a recombination after all arithmetic that is enqueued so far. Nothing moves if the axis has one rank.
/// @throws Error if no collective leads from one state to the other
Pending start_recombine(RankContext& context, const Recombination& recombination);

/// Brings a matrix into the state `target` along `axis`. Nothing moves if it already has this state, or if it is
/// Replicated and `target` is Sharded: a rank already has its piece. The matrix's state is `target` from now on; its
/// elements are valid after wait().
Pending start_recombine(RankContext& context, DistMatrix& matrix, Axis axis, State target, What what,
                        RankContext::Next next = RankContext::Next::computes);

/// start_recombine(), followed by wait().
void recombine(RankContext& context, const Recombination& recombination);
void recombine(RankContext& context, DistMatrix& matrix, Axis axis, State target, What what = {});

/// Sums `data` (Partial over `axes`) over these axes, one after another. Then it has the same bits on every rank of the
/// mesh: two lines of ranks may add in different orders (on one host, between hosts), so every rank takes the sum of the
/// rank at coordinate 0. The compute stream waits for it. For a few numbers, such as losses.
void sum_over_axes(RankContext& context, std::span<const Axis> axes, VectorView data, What what);

/// Undoes the second row cut (`rows_then`): all-gathers the pieces of `from` along that axis into `to`. Both have the
/// same placement otherwise. The compute stream waits for the result.
void gather_at_rest(RankContext& context, const DistMatrix& from, DistMatrix& to, What what = {});

}  // namespace recombine
