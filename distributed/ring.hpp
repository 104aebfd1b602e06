#pragma once

namespace recombine {

/// The rank `distance` further on in a ring of `size`, whatever the sign.
constexpr int ring_rank(int rank, int distance, int size) { return ((rank + distance % size) + size) % size; }

}  // namespace recombine
