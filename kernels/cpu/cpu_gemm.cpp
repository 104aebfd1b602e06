#include "kernels/cpu/cpu_gemm.hpp"

#include <algorithm>

#include "kernels/cpu/gemm_cblas.hpp"

namespace recombine::cpu {

namespace {

constexpr std::int64_t kHarmfulStride = 512;  // f32 in 2 KiB
constexpr std::int64_t kWorthPacking = 48;    // below, OpenBLAS is the slower in places

/// Up to AVX2 and by this rule oneDNN multiplies without packing; walking rows 2 KiB apart then evicts its own cache
/// lines. On one core, in GFLOP/s against OpenBLAS: 256x1024x1024 28 : 90, 512x256x1024 A^T B 61 : 90; n = 784 99 : 86.
bool onednn_walks_unpacked(const Gemm& gemm, const GemmShape& shape) {
  const bool unpacked = 1.0 / static_cast<double>(shape.m) + 1.0 / static_cast<double>(shape.n) >= 0.0038;
  return unpacked && ((gemm.trans_a == Transpose::yes && gemm.a.ld % kHarmfulStride == 0) ||
                      (gemm.trans_b == Transpose::no && gemm.b.ld % kHarmfulStride == 0));
}

}  // namespace

GemmLibrary f32_library(const Gemm& gemm, const GemmShape& shape, VectorWidth width) {
  if (has_epilogue(gemm)) return GemmLibrary::onednn;
  if (gemm.alpha != 1) return GemmLibrary::cblas;
  if (width == VectorWidth::bits_512 || !fits_cblas(gemm, shape)) return GemmLibrary::onednn;
  const bool worth_packing = std::min({shape.m, shape.n, shape.k}) >= kWorthPacking;
  return worth_packing && onednn_walks_unpacked(gemm, shape) ? GemmLibrary::cblas : GemmLibrary::onednn;
}

void CpuGemm::execute(const Gemm& gemm, const GemmShape& shape) {
  switch (gemm.a.type) {
    case DataType::f64: return gemm_cblas(gemm, shape);
    case DataType::bf16:
      if (onednn_.multiplies_bf16(gemm)) return onednn_.execute(gemm);
      return widened_.execute(gemm, shape, [&](const Gemm& part) { execute_f32(part, shape_of(part)); });
    default: return execute_f32(gemm, shape);
  }
}

void CpuGemm::execute_f32(const Gemm& gemm, const GemmShape& shape) {
  if (f32_library(gemm, shape, vector_width()) == GemmLibrary::cblas) return gemm_cblas(gemm, shape);
  onednn_.execute(gemm);
}

}  // namespace recombine::cpu
