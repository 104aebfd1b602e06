// The documented rules of cuBLASLt: the stand-in refuses calls that break them.
#include "tests/cuda_on_cpu/tests/cublaslt_fixture.hpp"

namespace emulated::test {

namespace {

constexpr Form kSquare{8, 8, 8};

Case square(cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT) {
  return {.a = kSquare, .b = kSquare, .c = kSquare, .epilogue = epilogue};
}

/// Memory for a product of 8 x 8 matrices, with room to place the operands elsewhere.
struct Operands {
  DeviceArray<float> memory{std::vector<float>(4096, 1)};
  float alpha = 1;
  float beta = 0;

  char* at(std::size_t bytes) const { return reinterpret_cast<char*>(memory.data()) + bytes; }
  Product::Call call() const { return {&alpha, at(0), at(1024), &beta, at(2048), at(2048), at(4096), 8192}; }
};

TEST(CublasLtRules, RefusesTooSmallLeadingDimensions) {
  auto x = square();
  x.a.ld = 7;
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_INVALID_VALUE);
  x = square();
  x.c = {8, 4, 7};
  x.b.cols = 4;
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_INVALID_VALUE);
  x.c = {8, 4, 4, CUBLASLT_ORDER_ROW};
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_SUCCESS);
}

TEST(CublasLtRules, RefusesShapesThatDoNotFitAndEmptyMatrices) {
  auto x = square();
  x.b.rows = 7;
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_INVALID_VALUE);
  x = square();
  x.c.cols = 7;
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_INVALID_VALUE);
  x = square();
  x.a.cols = x.b.rows = 0;
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_INVALID_VALUE);
}

TEST(CublasLtRules, RefusesCombinationsOfTypesThatAreNotDocumented) {
  auto x = square();
  x.ab = CUDA_R_16F;
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_NOT_SUPPORTED);
  x = square();
  x.scale = CUDA_R_64F;
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_NOT_SUPPORTED);
  x = square();
  x.compute = CUBLAS_COMPUTE_32F_FAST_TF32;
  x.ab = CUDA_R_16BF;
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST(CublasLtRules, RefusesEpiloguesThatAreUnknownOrNotForTheType) {
  const Operands operands;
  Product unknown(square(static_cast<cublasLtEpilogue_t>(3)));
  EXPECT_EQ(unknown.choose(), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(unknown.run(operands.call()), CUBLAS_STATUS_NOT_SUPPORTED);
  auto x = square(CUBLASLT_EPILOGUE_RELU);
  x.compute = CUBLAS_COMPUTE_64F;
  x.scale = x.ab = x.cd = CUDA_R_64F;
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_NOT_SUPPORTED);
  x = square(CUBLASLT_EPILOGUE_BIAS);
  x.c.order = CUBLASLT_ORDER_ROW;
  x.bias = operands.at(0);
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST(CublasLtRules, RefusesAMissingOrMisalignedBiasAndAWrongBiasType) {
  const Operands operands;
  auto x = square(CUBLASLT_EPILOGUE_BIAS);
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_INVALID_VALUE);
  x.bias = operands.at(2);
  EXPECT_EQ(Product(x).choose(), CUBLAS_STATUS_INVALID_VALUE);
  x.bias = operands.at(4);
  Product product(x);
  EXPECT_EQ(product.choose(), CUBLAS_STATUS_SUCCESS);
  product.set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, std::int32_t{CUDA_R_16BF});
  EXPECT_EQ(product.choose(), CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST(CublasLtRules, RefusesAWrongLeadingDimensionOfTheAuxiliaryMatrix) {
  const Operands operands;
  const auto status = [&](cublasLtEpilogue_t epilogue, std::int64_t ld) {
    auto x = square(epilogue);
    x.auxiliary = operands.at(0);
    x.auxiliary_ld = ld;
    return Product(x).choose();
  };
  EXPECT_EQ(status(CUBLASLT_EPILOGUE_RELU_AUX, 128), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(status(CUBLASLT_EPILOGUE_RELU_AUX, 64), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(status(CUBLASLT_EPILOGUE_DRELU, 0), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(status(CUBLASLT_EPILOGUE_GELU_AUX, 8), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(status(CUBLASLT_EPILOGUE_GELU_AUX, 12), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(Product(square(CUBLASLT_EPILOGUE_RELU_AUX)).choose(), CUBLAS_STATUS_INVALID_VALUE);
}

TEST(CublasLtRules, RefusesOperandsWithLessAlignmentThanTheAlgorithmNeeds) {
  const Operands operands;
  Product product(square());
  ASSERT_EQ(product.choose(), CUBLAS_STATUS_SUCCESS);  // the default alignment is 256 bytes
  auto call = operands.call();
  EXPECT_EQ(product.run(call), CUBLAS_STATUS_SUCCESS);
  call.b = operands.at(1024 + 16);
  EXPECT_EQ(product.run(call), CUBLAS_STATUS_INVALID_VALUE);
  product.prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, std::uint32_t{16});
  ASSERT_EQ(product.choose(), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(product.run(call), CUBLAS_STATUS_SUCCESS);
  call.b = operands.at(1024 + 4);
  EXPECT_EQ(product.run(call), CUBLAS_STATUS_INVALID_VALUE);
}

TEST(CublasLtRules, RefusesAMisalignedOrMissingWorkspace) {
  const Operands operands;
  Product product(square());
  product.prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{8192});
  ASSERT_EQ(product.choose(), CUBLAS_STATUS_SUCCESS);
  auto call = operands.call();
  EXPECT_EQ(product.run(call), CUBLAS_STATUS_SUCCESS);
  call.workspace = operands.at(4096 + 128);
  EXPECT_EQ(product.run(call), CUBLAS_STATUS_INVALID_VALUE);
  call.workspace = nullptr;
  call.workspace_bytes = 0;
  EXPECT_EQ(product.run(call), CUBLAS_STATUS_INVALID_VALUE);
}

TEST(CublasLtRules, RefusesAnAlgorithmThatWasChosenForAnotherEpilogue) {
  const Operands operands;
  Product product(square());
  ASSERT_EQ(product.choose(), CUBLAS_STATUS_SUCCESS);
  product.set(CUBLASLT_MATMUL_DESC_EPILOGUE, std::uint32_t{CUBLASLT_EPILOGUE_RELU});
  EXPECT_EQ(product.run(operands.call()), CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST(CublasLtRules, WithoutAnAlgorithmTheLibraryChoosesOne) {
  const Operands operands;
  EXPECT_EQ(Product(square()).run(operands.call()), CUBLAS_STATUS_SUCCESS);
}

TEST(CublasLtRules, UnknownAttributesAreNotSupported) {
  Product product(square());
  EXPECT_EQ(product.set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, static_cast<void*>(nullptr)),
            CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(product.set(CUBLASLT_MATMUL_DESC_POINTER_MODE, std::int32_t{CUBLASLT_POINTER_MODE_DEVICE}),
            CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(product.choose(), CUBLAS_STATUS_NOT_SUPPORTED);
  Product batched(square());
  const std::int32_t two = 2;
  EXPECT_EQ(
      cublasLtMatrixLayoutSetAttribute(batched.layout_of_c(), CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &two, sizeof two),
      CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(batched.choose(), CUBLAS_STATUS_NOT_SUPPORTED);
}

}  // namespace

}  // namespace emulated::test
