#pragma once

#include "tests/cuda_on_cpu/libraries/cublaslt/rules.hpp"

namespace emulated::cublaslt {

/// What differs between the heuristic's results. The real library documents none of these, so programs must not rely
/// on them.
struct Variant {
  std::uint64_t result = 0;   ///< number in the heuristic's list
  int delay_ms = 0;           ///< of each product
  bool backwards = false;     ///< sums run from the last element of k to the first
  bool rounds_parts = false;  ///< sums of parts of k are rounded to the type of D
  bool rounds_sum = false;    ///< the sum is rounded to the type of D before the epilogue, and again after it
};
/// The number of results of the heuristic, at most. It is 1. RECOMBINE_EMULATED_PRODUCT_MS=20,0 makes it 2 and gives
/// the results delays. Every second result then sums backwards. Products in tf32 then take 4 ms longer if neither
/// operand is stored along k, because Hopper's tensor cores read tf32 operands along k only.
int result_count();
/// A long product whose preference allows the reduction schemes INPLACE or OUTPUT_TYPE rounds the sums of parts of k.
/// If it allows any scheme, the sum is rounded before an epilogue with a bias, as an H100 did.
Variant variant_of(const Problem& problem, const Plan& plan);

/// Computes D on the calling thread, which is the stream's. alpha and beta are passed as f64 for every type.
/// @pre check(problem, plan, operands) succeeded
void multiply(const Problem& problem, const Operands& operands, double alpha, double beta, const Variant& variant);

/// Reports to the sanitizers what multiply reads and writes. @pre as multiply
void touch_operands(const Problem& problem, const Operands& operands, double beta);

}  // namespace emulated::cublaslt
