#pragma once

#include "src/matmul/explain/explain_job.hpp"

namespace recombine {

/// Prints a small product step by step: one element, one block, then on one or two meshes who holds which block, who
/// sends which block when, every product with its numbers, and the sum over k. The numbers are those of the same
/// schedules that matmul runs; a ProductObserver and the journal record them. Every rank calls it; rank 0 prints.
/// @throws InputError, the same on every rank, if a matrix is too large to print, the job has too many ranks, or a mesh
/// or schedule does not fit; Error if two ways to compute a number differ by more than rounding
void explain_matmul(const ExplainJob& job);

}  // namespace recombine
