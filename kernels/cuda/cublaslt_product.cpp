#include "kernels/cuda/cublaslt_product.hpp"

#include <algorithm>

#include "kernels/cuda/cuda_calls.hpp"

namespace recombine::cuda {

namespace {

constexpr std::uintptr_t kMostAlignment = 256;

cudaDataType_t cuda_type(DataType type) {
  return type == DataType::f64 ? CUDA_R_64F : type == DataType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

cublasOperation_t cublas_operation(Transpose transpose) {
  return transpose == Transpose::yes ? CUBLAS_OP_T : CUBLAS_OP_N;
}

std::uint32_t alignment_of(const std::byte* memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t lowest_bit = address & (~address + 1);
  return static_cast<std::uint32_t>(address == 0 ? kMostAlignment : std::min(lowest_bit, kMostAlignment));
}

template <class T>
void set(const CublasLtOperation& operation, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  check(cublaslt().operation_set(operation.get(), attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
}

template <class T>
void set(const CublasLtPreference& preference, cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
  check(cublaslt().preference_set(preference.get(), attribute, &value, sizeof value),
        "cublasLtMatmulPreferenceSetAttribute");
}

CublasLtLayout make_layout(ConstMatrixView x) {
  CublasLtLayout layout;
  check(cublaslt().layout_create(layout.out(), cuda_type(x.type), static_cast<std::uint64_t>(x.cols),
                                 static_cast<std::uint64_t>(x.rows), x.ld),
        "cublasLtMatrixLayoutCreate");
  return layout;
}

}  // namespace

CublasLtAlignments alignments_of(const Gemm& gemm) {
  return {.a = alignment_of(gemm.a.data),
          .b = alignment_of(gemm.b.data),
          .c = alignment_of(gemm.c.data),
          .bias = alignment_of(gemm.bias.data)};
}

cublasLtEpilogue_t cublaslt_epilogue(const Gemm& gemm) {
  const bool bias = gemm.bias.size > 0;
  if (gemm.activation == Activation::relu) return bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
  return bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
}

CublasLtProduct::CublasLtProduct(const Gemm& gemm, cublasComputeType_t compute_type)
    : b_(make_layout(gemm.b)),
      a_(make_layout(gemm.a)),
      c_(make_layout(gemm.c)),
      result_(gemm.c.type),
      has_epilogue_(cublaslt_epilogue(gemm) != CUBLASLT_EPILOGUE_DEFAULT) {
  const cudaDataType_t scale = gemm.c.type == DataType::f64 ? CUDA_R_64F : CUDA_R_32F;
  check(cublaslt().operation_create(operation_.out(), compute_type, scale), "cublasLtMatmulDescCreate");
  set(operation_, CUBLASLT_MATMUL_DESC_TRANSA, cublas_operation(gemm.trans_b));
  set(operation_, CUBLASLT_MATMUL_DESC_TRANSB, cublas_operation(gemm.trans_a));
  set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, cublaslt_epilogue(gemm));
  if (gemm.bias.size == 0) return;
  set(operation_, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, cuda_type(gemm.bias.type));
  set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, gemm.bias.data);
}

std::vector<CublasLtAlgorithm> CublasLtProduct::algorithms(const Search& search) const {
  CublasLtPreference preference;
  check(cublaslt().preference_create(preference.out()), "cublasLtMatmulPreferenceCreate");
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, search.workspace_bytes);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, search.alignments.b);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, search.alignments.a);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, search.alignments.c);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, search.alignments.c);
  if (result_ == DataType::bf16) {
    // Without this, an algorithm that splits k may add the parts in bf16, or round their sum before the epilogue.
    const std::uint32_t schemes =
        has_epilogue_ ? CUBLASLT_REDUCTION_SCHEME_NONE : CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, schemes);
  }

  std::vector<cublasLtMatmulHeuristicResult_t> results(static_cast<std::size_t>(search.results));
  int found = 0;
  const cublasStatus_t status =
      cublaslt().find_algorithm(search.library, operation_.get(), b_.get(), a_.get(), c_.get(), c_.get(),
                                preference.get(), search.results, results.data(), &found);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) return {};
  check(status, "cublasLtMatmulAlgoGetHeuristic");
  std::vector<CublasLtAlgorithm> algorithms;
  for (int i = 0; i < found; ++i) {
    const auto& result = results[static_cast<std::size_t>(i)];
    if (result.state == CUBLAS_STATUS_SUCCESS) algorithms.push_back({result.algo, result.workspaceSize});
  }
  return algorithms;
}

cublasStatus_t CublasLtProduct::enqueue(const Execution& execution, const Gemm& gemm) const {
  if (gemm.bias.size > 0) set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, gemm.bias.data);
  const auto alpha = static_cast<float>(gemm.alpha);
  const auto beta = static_cast<float>(gemm.beta);
  const bool f64 = gemm.c.type == DataType::f64;
  const auto& [algorithm, workspace_bytes] = execution.algorithm;
  return cublaslt().multiply(execution.library, operation_.get(), f64 ? static_cast<const void*>(&gemm.alpha) : &alpha,
                             gemm.b.data, b_.get(), gemm.a.data, a_.get(),
                             f64 ? static_cast<const void*>(&gemm.beta) : &beta, gemm.c.data, c_.get(), gemm.c.data,
                             c_.get(), &algorithm, execution.workspace, workspace_bytes, execution.stream);
}

}  // namespace recombine::cuda
