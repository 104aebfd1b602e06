#pragma once

#include "src/explain/recorder.hpp"
#include "src/matmul/explain/block_names.hpp"

namespace recombine {

/// The products of the rank at `at` and their sum, with names and numbers:
///
///     rank 0: C11 = A11 B11 + A12 B21
///         1 2 x 1 0 + 3 4 x 0 2 = 7 2 + 8 10 = 15 12
///         0 1   3 1   0 2   2 1   3 1   4  2    7  3
std::string rank_equation(const BlockNames& names, const Coord& at, const std::vector<RecordedStep>& products);

/// C as a sum of products of blocks: A x B + ... = term + ... = C.
std::string block_equation(const std::vector<RecordedStep>& products, std::string_view indent);

}  // namespace recombine
