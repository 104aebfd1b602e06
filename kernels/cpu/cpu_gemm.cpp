#include "kernels/cpu/cpu_gemm.hpp"

#include <algorithm>

#include "kernels/cpu/gemm_cblas.hpp"

namespace recombine::cpu {

namespace {

/// Rows so many f32 apart fall on the same cache lines; from `least` rows and columns on it costs more than packing.
struct HarmfulStride {
  std::int64_t multiple;
  std::int64_t least;
};
constexpr HarmfulStride kFewSets = {512, 32};   // 2 KiB: at half speed
constexpr HarmfulStride kSomeSets = {128, 64};  // 512 bytes: a fifth slower, where A is walked down its columns

/// Up to AVX2 and by this rule oneDNN multiplies without packing; walking rows a harmful stride apart then evicts its
/// own cache lines. On one core, oneDNN : OpenBLAS in GFLOP/s: 128x1024x768 46 : 89, 384x384x768 A^T B 74 : 93;
/// 128x784x768 98 : 89.
bool onednn_walks_unpacked(const Gemm& gemm, const GemmShape& shape) {
  if (1.0 / static_cast<double>(shape.m) + 1.0 / static_cast<double>(shape.n) < 0.0038) return false;
  const std::int64_t smallest = std::min({shape.m, shape.n, shape.k});
  const auto harms = [&](std::int64_t stride, HarmfulStride harmful) {
    return smallest >= harmful.least && stride % harmful.multiple == 0;
  };
  const bool down_a = gemm.trans_a == Transpose::yes && (harms(gemm.a.ld, kFewSets) || harms(gemm.a.ld, kSomeSets));
  return down_a || (gemm.trans_b == Transpose::no && harms(gemm.b.ld, kFewSets));
}

/// With AVX-512 oneDNN's matmul reads A where it lies; what that costs in a large product is more than packing does. On
/// one core of a Zen 4, matmul : sgemm in GFLOP/s: 4096x4096x2048 96 : 111, 1024x1024x256 A^T B 104 : 109, but
/// 512x1024x10 81 : 66; one row or column 3 to 16 : 39.
bool onednn_packs_faster(const Gemm& gemm, const GemmShape& shape) {
  static constexpr std::int64_t kWide = 1024;
  static constexpr std::int64_t kDeep = 256;
  static constexpr double kLarge = 0x1p31;  // multiply-adds
  if (std::min(shape.m, shape.n) == 1) return true;
  if (gemm.trans_b == Transpose::yes || shape.k < kDeep) return false;
  return std::min(shape.m, shape.n) >= kWide ||
         static_cast<double>(shape.m) * static_cast<double>(shape.n) * static_cast<double>(shape.k) >= kLarge;
}

}  // namespace

GemmLibrary f32_library(const Gemm& gemm, const GemmShape& shape, VectorWidth width) {
  if (has_epilogue(gemm)) return GemmLibrary::onednn_matmul;
  if (gemm.alpha != 1) return GemmLibrary::cblas;
  if (width == VectorWidth::bits_512)
    return onednn_packs_faster(gemm, shape) ? GemmLibrary::onednn_sgemm : GemmLibrary::onednn_matmul;
  return fits_cblas(gemm, shape) && onednn_walks_unpacked(gemm, shape) ? GemmLibrary::cblas
                                                                       : GemmLibrary::onednn_matmul;
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
  switch (f32_library(gemm, shape, vector_width())) {
    case GemmLibrary::onednn_matmul: return onednn_.execute(gemm);
    case GemmLibrary::onednn_sgemm: return sgemm_onednn(gemm, shape);
    case GemmLibrary::cblas: return gemm_cblas(gemm, shape);
  }
}

}  // namespace recombine::cpu
