#pragma once

#include "tests/cuda_on_cpu/libraries/cublaslt/rules.hpp"

namespace emulated::cublaslt {

/// Computes D on the calling thread, which is the stream's. alpha and beta are passed as f64 for every type.
/// @pre check(problem, plan, operands) succeeded
void multiply(const Problem& problem, const Operands& operands, double alpha, double beta);

/// Reports to the sanitizers what multiply reads and writes. @pre as multiply
void touch_operands(const Problem& problem, const Operands& operands, double beta);

}  // namespace emulated::cublaslt
