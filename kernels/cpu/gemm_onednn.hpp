#pragma once

#include <memory>

#include "kernels/gemm_shape.hpp"

namespace recombine::cpu {

/// The width of the vectors that oneDNN computes with on this machine.
enum class VectorWidth { bits_256_or_less, bits_512 };
VectorWidth vector_width();

/// True if the processor has instructions for bf16 products (AVX512-BF16, AMX) and oneDNN uses them.
bool has_bf16_products();

/// Matrix products by oneDNN's matmul primitive, f32 and bf16, with fused bias and activation. Caches a primitive
/// per shape.
class GemmOneDnn {
 public:
  GemmOneDnn();
  ~GemmOneDnn();
  /// True if oneDNN has more than reference loops for this product of bf16 operands.
  bool multiplies_bf16(const Gemm& gemm);
  /// @pre shape_of(gemm) does not throw; alpha = 1 for f32 or with a bias; multiplies_bf16(gemm) for bf16
  /// @throws Error with the shape if oneDNN does not accept it
  void execute(const Gemm& gemm);

 private:
  class Cache;
  std::unique_ptr<Cache> cache_;
};

/// A product by oneDNN's sgemm, which packs both operands: f32, no bias, no activation, any alpha and beta.
/// @throws Error with the shape if oneDNN does not accept it
void sgemm_onednn(const Gemm& gemm, const GemmShape& shape);

}  // namespace recombine::cpu
