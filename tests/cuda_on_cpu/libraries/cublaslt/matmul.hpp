#pragma once

#include "tests/cuda_on_cpu/libraries/cublaslt/rules.hpp"

namespace emulated::cublaslt {

/// Computes D on the calling thread: a stream's. alpha and beta are given in f64 whatever their type.
/// @pre check(problem, plan, operands) succeeded
void multiply(const Problem& problem, const Operands& operands, double alpha, double beta);

/// Lets the sanitizers see what multiply reads and writes. @pre as multiply
void touch_operands(const Problem& problem, const Operands& operands, double beta);

}  // namespace emulated::cublaslt
