#pragma once

#include <memory>

#include "kernels/gemm_shape.hpp"

namespace recombine::cpu {

/// How wide the vectors are that oneDNN computes with here.
enum class VectorWidth { bits_256_or_less, bits_512 };
VectorWidth vector_width();

/// Whether the processor multiplies bf16 itself (AVX512-BF16, AMX), and oneDNN makes use of it.
bool has_bf16_products();

/// Matrix products by oneDNN's matmul primitive, f32 and bf16: bias and activation fused, primitives kept by shape.
class GemmOneDnn {
 public:
  GemmOneDnn();
  ~GemmOneDnn();
  /// Whether execute() takes this product of bf16 operands, and has more for it than reference loops.
  bool multiplies_bf16(const Gemm& gemm);
  /// @pre shape_of(gemm) has passed; for f32 alpha = 1; a bias only with alpha = 1; bf16 where multiplies_bf16
  /// @throws Error naming the shape when oneDNN refuses it
  void execute(const Gemm& gemm);

 private:
  class Cache;
  std::unique_ptr<Cache> cache_;
};

/// The same by oneDNN's sgemm, which packs both operands: f32 without bias or activation, any alpha and beta.
/// @throws Error naming the shape when oneDNN refuses it
void sgemm_onednn(const Gemm& gemm, const GemmShape& shape);

}  // namespace recombine::cpu
