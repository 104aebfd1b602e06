#include "distributed/recombine.hpp"

#include <algorithm>
#include <vector>

#include "kernels/error.hpp"

namespace recombine {

namespace {

/// Enqueues the collective on the axis' communication stream.
void post(RankContext& context, const Recombination& r) {
  Communicator& group = context.communicator(r.axis).named(r.what);
  Stream& communication = context.after_compute(r.axis, r.next);
  if (r.from == State::partial && r.to == State::replicated) {
    group.all_reduce(communication, r.data, Reduction::sum);
  } else if (r.from == State::partial && r.to == State::sharded) {
    group.reduce_scatter(communication, r.data, r.counts, Reduction::sum);
  } else if (r.from == State::sharded && r.to == State::replicated) {
    group.all_gather(communication, r.data, r.counts);
  } else {
    throw Error(fmt::format("{}: no collective leads from {} to {}", r.what.name, name_of(r.from), name_of(r.to)));
  }
}

Pending pending(RankContext& context, Axis axis) { return {context, context.communication(axis).record()}; }

}  // namespace

Pending start_recombine(RankContext& context, const Recombination& recombination) {
  if (context.communicator(recombination.axis).size() == 1) return {};
  post(context, recombination);
  return pending(context, recombination.axis);
}

Pending start_recombine(RankContext& context, DistMatrix& matrix, Axis axis, State target, What what,
                        RankContext::Next next) {
  const State state = matrix.placement()[axis];
  require(!matrix.placement().cuts(axis), "{} is cut by {}; expected an axis that does not cut the matrix",
          matrix.placement().to_string(), name_of(axis));
  if (state == target) return {};
  matrix.set_state(axis, target);
  const int parts = context.communicator(axis).size();
  if (parts == 1 || (state == State::replicated && target == State::sharded)) return {};

  for (const Block& block : matrix.blocks()) {
    const std::vector<std::int64_t> counts = row_shard_sizes(block.view.rows, block.view.cols, parts);
    const bool last = &block == &matrix.blocks().back();
    post(context, {.axis = axis,
                   .data = as_vector(block.view),
                   .from = state,
                   .to = target,
                   .counts = counts,
                   .what = what,
                   .next = last ? next : RankContext::Next::computes});
  }
  return pending(context, axis);
}

void recombine(RankContext& context, const Recombination& recombination) {
  Recombination waited = recombination;
  waited.next = RankContext::Next::waits;
  start_recombine(context, waited).wait();
}

void recombine(RankContext& context, DistMatrix& matrix, Axis axis, State target, What what) {
  start_recombine(context, matrix, axis, target, what, RankContext::Next::waits).wait();
}

void sum_over_axes(RankContext& context, std::span<const Axis> axes, VectorView data, What what) {
  for (const Axis axis : axes) recombine(context, {.axis = axis, .data = data, .what = what});
  const auto several = [&](Axis axis) { return context.communicator(axis).size() > 1; };
  if (std::ranges::count_if(kAxes, several) < 2) return;
  for (const Axis axis : kAxes) {
    if (!several(axis)) continue;
    Stream& communication = context.after_compute(axis, RankContext::Next::waits);
    context.communicator(axis).named(what).broadcast(communication, data, 0);
    pending(context, axis).wait();
  }
}

void gather_at_rest(RankContext& context, const DistMatrix& from, DistMatrix& to, What what) {
  const std::optional<Axis> axis = from.placement().rows_then;
  Placement gathered = from.placement();
  gathered.rows_then.reset();
  require(axis && from.rows() == to.rows() && from.cols() == to.cols() && to.placement().cuts_as(gathered),
          "cannot gather {} into {}; expected the same placement without the second row cut",
          from.placement().to_string(), to.placement().to_string());
  const int pieces = context.mesh().parts(*axis);
  for (const Block& block : to.blocks()) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(context.communicator(*axis).size()));
    for (int piece = 0; piece < pieces; ++piece) {
      const int part = block.row_part * pieces + piece;
      const Range rows = DistMatrix::rows_of_part(context.mesh(), from.rows(), from.placement(), part);
      counts[static_cast<std::size_t>(context.mesh().owner(*axis, piece))] += rows.size() * block.cols.size();
      if (const Block* own = from.find(part, block.col_part)) {
        const MatrixView place = block.view.block(rows.begin - block.rows.begin, 0, rows.size(), block.cols.size());
        context.device().copy(context.compute(), as_vector(place), as_vector(own->view));
      }
    }
    const bool last = &block == &to.blocks().back();
    post(context, {.axis = *axis,
                   .data = as_vector(block.view),
                   .from = State::sharded,
                   .to = State::replicated,
                   .counts = counts,
                   .what = what,
                   .next = last ? RankContext::Next::waits : RankContext::Next::computes});
  }
  pending(context, *axis).wait();
  to.set_state(*axis, State::replicated);
}

}  // namespace recombine
