#pragma once

#include <cstddef>
#include <vector>

namespace recombine::test {

/// Rows in which each pair of values of any two dimensions occurs at least once. Each row starts with a missing pair.
/// Its other values are those that cover most missing pairs (Cohen et al., "The AETG system", IEEE TSE 1997).
/// @param sizes  the number of values of each dimension, at most 64
std::vector<std::vector<std::size_t>> pairwise_table(const std::vector<std::size_t>& sizes);

}  // namespace recombine::test
