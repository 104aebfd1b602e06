#include "kernels/cpu/cpu_gemm.hpp"

#include <algorithm>

#include "kernels/cpu/gemm_cblas.hpp"

namespace recombine::cpu {

namespace {

/// If the distance between rows is a multiple of this many f32, the rows map to the same cache sets. With at least
/// `least` rows and columns, the cache misses cost more than packing.
struct HarmfulStride {
  std::int64_t multiple;
  std::int64_t least;
};
constexpr HarmfulStride kFewSets = {512, 32};   // 2 KiB: at half speed
constexpr HarmfulStride kSomeSets = {128, 64};  // 512 bytes: 1/5 slower, if A is read down its columns

/// Up to AVX2, oneDNN packs only large C; the first line has its rule. True if it does not pack, and the rows have a
/// harmful stride: then they evict each other's cache lines. On one core, oneDNN : OpenBLAS in GFLOP/s:
/// 128x1024x768 46 : 89, 384x384x768 A^T B 74 : 93; 128x784x768 98 : 89.
bool onednn_walks_unpacked(const Gemm& gemm, const GemmShape& shape) {
  if (1.0 / static_cast<double>(shape.m) + 1.0 / static_cast<double>(shape.n) < 0.0038) return false;
  const std::int64_t smallest = std::min({shape.m, shape.n, shape.k});
  const auto harms = [&](std::int64_t stride, HarmfulStride harmful) {
    return smallest >= harmful.least && stride % harmful.multiple == 0;
  };
  const bool down_a = gemm.trans_a == Transpose::yes && (harms(gemm.a.ld, kFewSets) || harms(gemm.a.ld, kSomeSets));
  return down_a || (gemm.trans_b == Transpose::no && harms(gemm.b.ld, kFewSets));
}

/// With AVX-512, oneDNN's matmul does not pack A. In a large or deep product this costs more time than packing. On one
/// core of a Zen 4, matmul : sgemm in GFLOP/s: 4096x4096x2048 96 : 111, 1024x1024x256 A^T B 104 : 109, 32x512x4096
/// A^T B 79 : 103; one row or column 3 to 16 : 39; but 512x1024x10 81 : 66.
bool onednn_packs_faster(const Gemm& gemm, const GemmShape& shape) {
  static constexpr std::int64_t kWide = 1024;
  static constexpr std::int64_t kDeep = 2048;
  static constexpr std::int64_t kLeast = 256;
  if (std::min(shape.m, shape.n) == 1) return true;
  if (gemm.trans_b == Transpose::yes) return false;
  if (gemm.trans_a == Transpose::yes && shape.k >= kDeep) return true;
  return std::min(shape.m, shape.n) >= kWide && shape.k >= kLeast;
}

/// Libraries read down the columns of A^T. If C has few columns, this takes longer than the arithmetic; it is faster in
/// slices of k that fit in a cache. Whole : slices, 2048x16x1024 on one core of a Zen 4, in ms: f64 6.0 : 3.5 (with
/// AVX2's code 3.0 : 2.6), f32 1.4 : 1.0.
bool faster_in_slices(const Gemm& gemm, const GemmShape& shape) {
  static constexpr std::int64_t kFew = 32;
  static constexpr std::int64_t kTall = 512;
  return gemm.trans_a == Transpose::yes && shape.n > 1 && shape.n <= kFew && shape.m >= kTall && !has_epilogue(gemm);
}

template <class Multiply>
void multiply_in_slices(const Gemm& whole, const GemmShape& shape, const Multiply& multiply) {
  static constexpr std::int64_t kSlice = 128;
  Gemm part = whole;
  for (std::int64_t begin = 0; begin < shape.k; begin += kSlice) {
    const std::int64_t k = std::min(kSlice, shape.k - begin);
    part.a = whole.a.block(begin, 0, k, shape.m);
    part.b =
        whole.trans_b == Transpose::yes ? whole.b.block(0, begin, shape.n, k) : whole.b.block(begin, 0, k, shape.n);
    multiply(part, GemmShape{shape.m, shape.n, k});
    part.beta = 1;
  }
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

/// With AVX-512, matmul multiplies one row or column at 3 GFLOP/s and sgemm at 39 (see onednn_packs_faster); a pass
/// over a column costs about 7 ns per row. Up to AVX2, both are equally fast.
bool fuses_epilogue(const Gemm& gemm, const GemmShape& shape, VectorWidth width) {
  return gemm.a.type != DataType::f32 || width != VectorWidth::bits_512 || std::min(shape.m, shape.n) > 1;
}

void CpuGemm::execute(const Gemm& gemm, const GemmShape& shape) {
  switch (gemm.a.type) {
    case DataType::f64:
      return faster_in_slices(gemm, shape) ? multiply_in_slices(gemm, shape, gemm_cblas) : gemm_cblas(gemm, shape);
    case DataType::bf16:
      if (onednn_.multiplies_bf16(gemm)) return onednn_.execute(gemm);
      return widened_.execute(gemm, shape, [&](const Gemm& part) { execute_f32(part, shape_of(part)); });
    default: return execute_f32(gemm, shape);
  }
}

void CpuGemm::execute_f32(const Gemm& gemm, const GemmShape& shape) {
  switch (f32_library(gemm, shape, vector_width())) {
    case GemmLibrary::onednn_matmul:
      if (vector_width() != VectorWidth::bits_512 || !faster_in_slices(gemm, shape)) return onednn_.execute(gemm);
      return multiply_in_slices(gemm, shape, [&](const Gemm& part, const GemmShape&) { onednn_.execute(part); });
    case GemmLibrary::onednn_sgemm: return sgemm_onednn(gemm, shape);
    case GemmLibrary::cblas: return gemm_cblas(gemm, shape);
  }
}

}  // namespace recombine::cpu
