#pragma once

#include <cstdint>
#include <vector>

#include "distributed/dist_matrix.hpp"

namespace recombine {

/// Small whole numbers for --explain, row by row: the matrices A (tensor 0) and B (tensor 1) of the README's example,
/// which larger ones continue.
std::vector<double> worked_example(std::uint64_t tensor, DistMatrix::Shape shape);

}  // namespace recombine
