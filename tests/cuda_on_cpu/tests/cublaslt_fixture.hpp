#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <cublasLt.h>
#include <gtest/gtest.h>

#include "tests/cuda_on_cpu/tests/device_array.hpp"

namespace emulated::test {

/// The layout of a matrix in memory.
struct Form {
  std::int64_t rows, cols, ld;
  cublasLtOrder_t order = CUBLASLT_ORDER_COL;

  std::size_t size() const { return static_cast<std::size_t>(ld * (order == CUBLASLT_ORDER_COL ? cols : rows)); }
  std::size_t at(std::int64_t i, std::int64_t j) const {
    return static_cast<std::size_t>(order == CUBLASLT_ORDER_COL ? j * ld + i : i * ld + j);
  }
};

/// The types of a product, and the layouts of its matrices. The defaults make a plain f32 product.
struct Case {
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType_t scale = CUDA_R_32F;
  cudaDataType_t ab = CUDA_R_32F;
  cudaDataType_t cd = CUDA_R_32F;
  cublasOperation_t trans_a = CUBLAS_OP_N;
  cublasOperation_t trans_b = CUBLAS_OP_N;
  Form a, b, c;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  void* bias = nullptr;
  void* auxiliary = nullptr;
  std::int64_t auxiliary_ld = 0;
};

/// One product, with the library's whole sequence of calls.
class Product {
 public:
  explicit Product(const Case& x);
  ~Product();
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  template <class T>
  cublasStatus_t set(cublasLtMatmulDescAttributes_t id, const T& value) {
    return cublasLtMatmulDescSetAttribute(operation_, id, &value, sizeof value);
  }
  template <class T>
  cublasStatus_t prefer(cublasLtMatmulPreferenceAttributes_t id, const T& value) {
    return cublasLtMatmulPreferenceSetAttribute(preference_, id, &value, sizeof value);
  }
  cublasLtMatrixLayout_t layout_of_c() const { return c_; }
  cublasStatus_t choose();

  struct Call {
    const void* alpha;
    const void* a;
    const void* b;
    const void* beta;
    const void* c;
    void* d;
    void* workspace = nullptr;
    std::size_t workspace_bytes = 0;
  };
  /// Enqueues the product with the algorithm of choose(), or with none before choose().
  cublasStatus_t enqueue(const Call& call);
  /// The same, and waits for its end.
  cublasStatus_t run(const Call& call);
  const Stream& stream() const { return stream_; }

 private:
  cublasLtHandle_t handle_ = nullptr;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr;
  cublasLtMatrixLayout_t b_ = nullptr;
  cublasLtMatrixLayout_t c_ = nullptr;
  cublasLtMatmulPreference_t preference_ = nullptr;
  std::optional<cublasLtMatmulHeuristicResult_t> chosen_;
  Stream stream_;
};

inline std::uint16_t bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
inline float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

}  // namespace emulated::test
