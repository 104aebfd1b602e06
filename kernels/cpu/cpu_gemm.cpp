#include "kernels/cpu/cpu_gemm.hpp"

#include <algorithm>

#include "kernels/cpu/gemm_cblas.hpp"

namespace recombine::cpu {

namespace {

/// By oneDNN's rule, up to AVX2: at m 256, n 1024, k 1024 it then reaches 46 GFLOP/s on a core where OpenBLAS
/// reaches 93; with B transposed, or beyond the rule, the two are equal.
bool onednn_does_not_pack(const GemmShape& shape, Transpose trans_a, Transpose trans_b) {
  const bool reads_along_k = trans_a == Transpose::no && trans_b == Transpose::yes;
  return !reads_along_k && 1.0 / static_cast<double>(shape.m) + 1.0 / static_cast<double>(shape.n) >= 0.0038;
}

constexpr std::int64_t kWorthPacking = 48;

}  // namespace

GemmLibrary f32_library(const Gemm& gemm, const GemmShape& shape, VectorWidth width) {
  if (has_epilogue(gemm)) return GemmLibrary::onednn;
  if (gemm.alpha != 1) return GemmLibrary::cblas;
  if (width == VectorWidth::bits_512 || std::min({shape.m, shape.n, shape.k}) < kWorthPacking ||
      !fits_cblas(gemm, shape)) {
    return GemmLibrary::onednn;
  }
  return onednn_does_not_pack(shape, gemm.trans_a, gemm.trans_b) ? GemmLibrary::cblas : GemmLibrary::onednn;
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
