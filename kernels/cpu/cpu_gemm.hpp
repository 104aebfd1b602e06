#pragma once

#include "kernels/cpu/gemm_onednn.hpp"
#include "kernels/cpu/gemm_widened.hpp"

namespace recombine::cpu {

enum class GemmLibrary { onednn_matmul, onednn_sgemm, cblas };

/// Returns the library that multiplies these f32 operands. A pure function, so the same product gives the same bits.
GemmLibrary f32_library(const Gemm& gemm, const GemmShape& shape, VectorWidth width);

/// True if the fastest library call for this product also applies the bias and the activation. If not, a separate pass
/// over C applies them. A pure function of the shape, as above.
bool fuses_epilogue(const Gemm& gemm, const GemmShape& shape, VectorWidth width);

/// Products on the CPU: f64 by CBLAS, bf16 by oneDNN, f32 by the fastest of three library calls.
class CpuGemm {
 public:
  /// @pre all sizes > 0; alpha = 1 if there is a bias or an activation
  void execute(const Gemm& gemm, const GemmShape& shape);

 private:
  void execute_f32(const Gemm& gemm, const GemmShape& shape);

  GemmOneDnn onednn_;
  GemmWidened widened_;
};

}  // namespace recombine::cpu
