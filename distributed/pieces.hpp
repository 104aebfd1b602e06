#pragma once

#include <span>
#include <vector>

#include "kernels/error.hpp"
#include "kernels/matrix.hpp"

namespace recombine {

/// Cuts `data` into consecutive pieces, counts[r] elements for rank r. @throws Error if the counts do not add up
/// to data.size
inline std::vector<VectorView> pieces_of(VectorView data, std::span<const std::int64_t> counts) {
  std::vector<VectorView> pieces;
  std::int64_t begin = 0;
  for (const std::int64_t count : counts) {
    pieces.push_back(data.range(begin, begin + count));
    begin += count;
  }
  require(begin == data.size, "counts add up to {} elements; expected {}", begin, data.size);
  return pieces;
}

}  // namespace recombine
