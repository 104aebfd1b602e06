#pragma once

#include "distributed/communicator.hpp"

namespace recombine {

/// The rank `distance` further on in a ring of `size`; `distance` may be negative.
constexpr int ring_rank(int rank, int distance, int size) { return ((rank + distance % size) + size) % size; }

/// Sends `out` to the rank `distance` further on in the ring of the group's ranks, and receives `in` from the rank that
/// is as far back.
inline void shift(Communicator& group, Stream& stream, VectorView out, VectorView in, int distance) {
  const Piece to = {ring_rank(group.rank(), distance, group.size()), out};
  const Piece from = {ring_rank(group.rank(), -distance, group.size()), in};
  group.exchange(stream, {&to, 1}, {&from, 1});
}

}  // namespace recombine
