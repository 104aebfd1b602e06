#pragma once

#include "src/matmul/execute.hpp"

namespace recombine {

/// Prints a small product step by step: who holds which blocks, who sends which block when, every product with its
/// numbers, and the sum over k. The numbers are those of the same schedules that matmul runs; a ProductObserver and the
/// journal record them. Every rank calls it; rank 0 prints.
/// @throws InputError if a matrix is too large to print
void explain_matmul(const Session& session, const MatmulJob& job);

}  // namespace recombine
