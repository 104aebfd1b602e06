#pragma once

#include "kernels/cpu/gemm_onednn.hpp"
#include "kernels/cpu/gemm_widened.hpp"

namespace recombine::cpu {

enum class GemmLibrary { onednn_matmul, onednn_sgemm, cblas };

/// Which library multiplies these f32 operands. A pure function, so that the same product gives the same bits.
GemmLibrary f32_library(const Gemm& gemm, const GemmShape& shape, VectorWidth width);

/// Whether the fastest way to this product takes its bias and activation too; else they are a pass of their own over C.
/// A pure function of the shape, as above.
bool fuses_epilogue(const Gemm& gemm, const GemmShape& shape, VectorWidth width);

/// Products on the CPU: f64 by CBLAS, bf16 by oneDNN, f32 by the fastest of three ways.
class CpuGemm {
 public:
  /// @pre all sizes > 0; a bias or activation only with alpha = 1
  void execute(const Gemm& gemm, const GemmShape& shape);

 private:
  void execute_f32(const Gemm& gemm, const GemmShape& shape);

  GemmOneDnn onednn_;
  GemmWidened widened_;
};

}  // namespace recombine::cpu
