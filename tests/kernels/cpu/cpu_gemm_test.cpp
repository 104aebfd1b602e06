#include "kernels/cpu/cpu_gemm.hpp"

#include <gtest/gtest.h>

namespace recombine {
namespace {

/// The library that is chosen for op(A) [m,k] op(B) [k,n], if the operands have no spare columns.
cpu::GemmLibrary library(const GemmShape& shape, Transpose ta, Transpose tb, double alpha = 1,
                         cpu::VectorWidth width = cpu::VectorWidth::bits_256_or_less) {
  const auto [m, n, k] = shape;
  const auto stored = [](std::int64_t rows, std::int64_t cols, Transpose transpose) {
    return transpose == Transpose::yes ? MatrixView{nullptr, cols, rows, rows} : MatrixView{nullptr, rows, cols, cols};
  };
  return cpu::f32_library({.a = stored(m, k, ta),
                           .trans_a = ta,
                           .b = stored(k, n, tb),
                           .trans_b = tb,
                           .c = stored(m, n, Transpose::no),
                           .alpha = alpha},
                          shape, width);
}

constexpr auto kMatmul = cpu::GemmLibrary::onednn_matmul;
constexpr auto kSgemm = cpu::GemmLibrary::onednn_sgemm;
constexpr auto kCblas = cpu::GemmLibrary::cblas;
constexpr auto kNo = Transpose::no;
constexpr auto kYes = Transpose::yes;

TEST(F32LibraryTest, CblasRunsProductsThatOneDnnWouldReadUnpackedWithAHarmfulStride) {
  EXPECT_EQ(library({256, 1024, 1024}, kNo, kNo), kCblas);
  EXPECT_EQ(library({256, 1024, 1024}, kYes, kNo), kCblas);
  EXPECT_EQ(library({1024, 256, 1024}, kYes, kYes), kCblas);
  EXPECT_EQ(library({512, 512, 4096}, kYes, kNo), kCblas);
  EXPECT_EQ(library({256, 1024, 1024}, kNo, kYes), kMatmul);  // both are read along their rows
  EXPECT_EQ(library({256, 784, 1024}, kNo, kNo), kMatmul);    // harmless stride
  EXPECT_EQ(library({1024, 1024, 1024}, kNo, kNo), kMatmul);  // oneDNN packs
  EXPECT_EQ(library({384, 384, 768}, kYes, kNo), kCblas);     // read down the columns of A: stride 1.5 KiB
  EXPECT_EQ(library({384, 384, 768}, kNo, kNo), kMatmul);
  EXPECT_EQ(library({32, 1024, 768}, kNo, kNo), kCblas);
  EXPECT_EQ(library({31, 1024, 1024}, kNo, kNo), kMatmul);  // too small
  EXPECT_EQ(library({256, 1024, 31}, kNo, kNo), kMatmul);
  EXPECT_EQ(library({384, 63, 768}, kYes, kNo), kMatmul);
  EXPECT_EQ(library({3, 3, 3}, kNo, kNo, 2), kCblas);                          // scaled
  EXPECT_EQ(library({256, 1024, std::int64_t{1} << 31}, kYes, kNo), kMatmul);  // CBLAS counts in 32 bits
}

TEST(F32LibraryTest, WithAvx512LargeProductsArePacked) {
  const auto wide = [](const GemmShape& shape, Transpose ta, Transpose tb, double alpha = 1) {
    return library(shape, ta, tb, alpha, cpu::VectorWidth::bits_512);
  };
  EXPECT_EQ(wide({4096, 4096, 4096}, kYes, kNo), kSgemm);
  EXPECT_EQ(wide({1024, 1024, 256}, kNo, kNo), kSgemm);
  EXPECT_EQ(wide({512, 512, 32768}, kYes, kNo), kSgemm);
  EXPECT_EQ(wide({32, 512, 4096}, kYes, kNo), kSgemm);
  EXPECT_EQ(wide({1024, 1, 1024}, kNo, kYes), kSgemm);
  EXPECT_EQ(wide({32, 512, 4096}, kNo, kNo), kMatmul);
  EXPECT_EQ(wide({4096, 4096, 4096}, kNo, kYes), kMatmul);  // both are read along their rows
  EXPECT_EQ(wide({256, 1024, 1024}, kNo, kNo), kMatmul);
  EXPECT_EQ(wide({1024, 1024, 10}, kNo, kNo), kMatmul);
  EXPECT_EQ(wide({4096, 4096, 4096}, kYes, kNo, 2), kCblas);  // scaled
}

TEST(F32LibraryTest, WithAvx512TheEpilogueOfOneRowOrColumnIsASeparatePass) {
  const auto fuses = [](std::int64_t m, std::int64_t n, cpu::VectorWidth width, DataType type = DataType::f32) {
    const Gemm gemm = {.a = {nullptr, m, 1024, 1024, type}, .activation = Activation::tanh};
    return cpu::fuses_epilogue(gemm, {m, n, 1024}, width);
  };
  EXPECT_FALSE(fuses(512, 1, cpu::VectorWidth::bits_512));
  EXPECT_FALSE(fuses(1, 512, cpu::VectorWidth::bits_512));
  EXPECT_TRUE(fuses(512, 2, cpu::VectorWidth::bits_512));
  EXPECT_TRUE(fuses(512, 1, cpu::VectorWidth::bits_512, DataType::bf16));
  EXPECT_TRUE(fuses(512, 1, cpu::VectorWidth::bits_256_or_less));
}

}  // namespace
}  // namespace recombine
