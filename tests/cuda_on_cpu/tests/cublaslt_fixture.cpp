#include "tests/cuda_on_cpu/tests/cublaslt_fixture.hpp"

namespace emulated::test {

namespace {

cublasLtMatrixLayout_t layout(cudaDataType_t type, const Form& form) {
  cublasLtMatrixLayout_t out = nullptr;
  EXPECT_EQ(cublasLtMatrixLayoutCreate(&out, type, static_cast<std::uint64_t>(form.rows),
                                       static_cast<std::uint64_t>(form.cols), form.ld),
            CUBLAS_STATUS_SUCCESS);
  const std::int32_t order = form.order;
  EXPECT_EQ(cublasLtMatrixLayoutSetAttribute(out, CUBLASLT_MATRIX_LAYOUT_ORDER, &order, sizeof order),
            CUBLAS_STATUS_SUCCESS);
  return out;
}

}  // namespace

Product::Product(const Case& x) : a_(layout(x.ab, x.a)), b_(layout(x.ab, x.b)), c_(layout(x.cd, x.c)) {
  EXPECT_EQ(cublasLtCreate(&handle_), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cublasLtMatmulDescCreate(&operation_, x.compute, x.scale), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cublasLtMatmulPreferenceCreate(&preference_), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(set(CUBLASLT_MATMUL_DESC_TRANSA, std::int32_t{x.trans_a}), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(set(CUBLASLT_MATMUL_DESC_TRANSB, std::int32_t{x.trans_b}), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(set(CUBLASLT_MATMUL_DESC_EPILOGUE, static_cast<std::uint32_t>(x.epilogue)), CUBLAS_STATUS_SUCCESS);
  if (x.bias) {
    EXPECT_EQ(set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, x.bias), CUBLAS_STATUS_SUCCESS);
  }
  if (!x.auxiliary) return;
  EXPECT_EQ(set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, x.auxiliary), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, x.auxiliary_ld), CUBLAS_STATUS_SUCCESS);
}

Product::~Product() {
  cublasLtMatmulPreferenceDestroy(preference_);
  for (auto* const layout : {a_, b_, c_}) cublasLtMatrixLayoutDestroy(layout);
  cublasLtMatmulDescDestroy(operation_);
  cublasLtDestroy(handle_);
}

cublasStatus_t Product::choose() {
  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  const auto status =
      cublasLtMatmulAlgoGetHeuristic(handle_, operation_, a_, b_, c_, c_, preference_, 1, &result, &found);
  EXPECT_EQ(found == 1, status == CUBLAS_STATUS_SUCCESS);
  if (status == CUBLAS_STATUS_SUCCESS) chosen_ = result;
  return status;
}

cublasStatus_t Product::enqueue(const Call& x) {
  return cublasLtMatmul(handle_, operation_, x.alpha, x.a, a_, x.b, b_, x.beta, x.c, c_, x.d, c_,
                        chosen_ ? &chosen_->algo : nullptr, x.workspace, x.workspace_bytes, stream_);
}

cublasStatus_t Product::run(const Call& x) {
  const auto status = enqueue(x);
  stream_.synchronize();
  return status;
}

}  // namespace emulated::test
