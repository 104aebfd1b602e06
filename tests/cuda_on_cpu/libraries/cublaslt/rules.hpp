#pragma once

#include "tests/cuda_on_cpu/libraries/cublaslt/descriptors.hpp"

namespace emulated::cublaslt {

/// D[m,n] = epilogue(alpha op(A)[m,k] op(B)[k,n] + beta C[m,n]).
struct Problem {
  Operation operation;
  Layout a, b, c, d;

  std::uint64_t m() const { return operation.trans_a == CUBLAS_OP_N ? a.rows : a.cols; }
  std::uint64_t k() const { return operation.trans_a == CUBLAS_OP_N ? a.cols : a.rows; }
  std::uint64_t n() const { return operation.trans_b == CUBLAS_OP_N ? b.cols : b.rows; }
  bool has(std::uint32_t epilogue_bits) const { return (operation.epilogue & epilogue_bits) == epilogue_bits; }
};

/// Parts of an epilogue: bits of the enumerators in the library's header.
constexpr std::uint32_t kAuxiliary = 128;
constexpr std::uint32_t kReluGradient = 8;
constexpr std::uint32_t kBiasGradient = 16;
constexpr std::uint32_t kGeluGradient = 64;

bool has_bias(const Problem& problem);       // reads or writes the vector at BIAS_POINTER
bool has_relu_mask(const Problem& problem);  // one bit per element of D, at EPILOGUE_AUX_POINTER

/// The operands of one call.
struct Operands {
  const void* a;
  const void* b;
  const void* c;
  void* d;
  void* workspace;
  std::size_t workspace_bytes;
};

/// The content of the opaque algorithm. The heuristic writes it, and each product checks it.
struct Plan {
  std::uint64_t magic;
  std::uint64_t kernel;  // hash of the types, orders, transposes and epilogue that it was made for
  std::uint64_t result;  // its number in the heuristic's list
  std::uint64_t workspace_bytes;
  std::uint32_t alignment_a, alignment_b, alignment_c, alignment_d;
  std::uint32_t alignment_bias, alignment_auxiliary;
  std::uint32_t reductions;  // schemes that it may use to add parts of k
};
static_assert(sizeof(Plan) <= sizeof(cublasLtMatmulAlgo_t));

std::size_t bytes_of(std::int32_t type);  // 0: a type that the stand-in does not know

/// Checks the documented rules for all calls. Returns NOT_SUPPORTED for anything that the stand-in does not know.
cublasStatus_t check(const Problem& problem);
Plan make_plan(const Problem& problem, const Preference& preference, std::uint64_t result);
/// Checks the rules for one product. If `plan` is null, the real library would choose an algorithm for these pointers.
cublasStatus_t check(const Problem& problem, const Plan* plan, const Operands& operands);

}  // namespace emulated::cublaslt
