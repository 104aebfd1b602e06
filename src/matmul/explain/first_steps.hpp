#pragma once

#include <string>

#include "src/matmul/explain/explain_job.hpp"
#include "src/matmul/explain/whole_product.hpp"

namespace recombine {

/// A, B and C, and one element as a sum of numbers.
/// @throws Error if the sum and the matrix C differ by more than rounding
std::string element_text(const WholeProduct& product);

/// C in 2x2 blocks, C11 = A11 B11 + A12 B21 and so on. This rank computes one after the other. Every rank calls it.
/// @throws Error if the blocks and the matrix C differ by more than rounding
std::string blocks_text(const ExplainJob& job, const WholeProduct& product);

}  // namespace recombine
