#pragma once

#include "distributed/communicator.hpp"

namespace recombine {

/// The rank `distance` steps after `rank` in a ring of `size` ranks; `distance` may be negative.
constexpr int ring_rank(int rank, int distance, int size) { return ((rank + distance % size) + size) % size; }

/// Sends `out` to the rank `distance` steps after this rank in the ring of the group's ranks, and receives `in` from
/// the rank `distance` steps before it.
inline void shift(Communicator& group, Stream& stream, VectorView out, VectorView in, int distance) {
  const Piece to = {ring_rank(group.rank(), distance, group.size()), out};
  const Piece from = {ring_rank(group.rank(), -distance, group.size()), in};
  group.exchange(stream, {&to, 1}, {&from, 1});
}

}  // namespace recombine
