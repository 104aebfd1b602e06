#pragma once

#include <compare>
#include <vector>

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include "kernels/cuda/cublaslt_library.hpp"
#include "kernels/math.hpp"

namespace recombine::cuda {

/// One of the library's ways to compute a product.
struct CublasLtAlgorithm {
  cublasLtMatmulAlgo_t algorithm;
  std::size_t workspace_bytes;  ///< that it needs
};

/// The largest powers of two, up to 256, that divide the addresses. The library chooses algorithms that need no more
/// than them.
struct CublasLtAlignments {
  std::uint32_t a, b, c, bias;
  auto operator<=>(const CublasLtAlignments&) const = default;
};
CublasLtAlignments alignments_of(const Gemm& gemm);

cublasLtEpilogue_t cublaslt_epilogue(const Gemm& gemm);

/// A product as cuBLASLt describes it. The library is column-major: our row-major [rows,cols] is its [cols,rows]. So it
/// computes C^T = op(B)^T op(A)^T: its first operand is our B. Our bias has one element for each column of C, and the
/// library's bias has one for each row of its result C^T, so they are the same.
class CublasLtProduct {
 public:
  /// For products with the shapes, leading dimensions, types and epilogue of `gemm`.
  CublasLtProduct(const Gemm& gemm, cublasComputeType_t compute_type);

  struct Search {
    cublasLtHandle_t library;
    CublasLtAlignments alignments;
    std::size_t workspace_bytes;  ///< at most
    int results;                  ///< at most
  };
  /// Algorithms in the order of the library's heuristic, which expects the first to be the fastest. Empty if there is
  /// none.
  std::vector<CublasLtAlgorithm> algorithms(const Search& search) const;

  struct Execution {
    cublasLtHandle_t library;
    const CublasLtAlgorithm& algorithm;
    void* workspace;
    cudaStream_t stream;
  };
  /// Enqueues the product with the addresses, alpha and beta of `gemm`. Returns the library's status.
  cublasStatus_t enqueue(const Execution& execution, const Gemm& gemm) const;

 private:
  CublasLtOperation operation_;
  CublasLtLayout b_, a_, c_;
  DataType result_;
  bool has_epilogue_;
};

}  // namespace recombine::cuda
