#pragma once

#include "kernels/cuda/gemm_cublaslt.hpp"
#include "kernels/device.hpp"
#include "kernels/math.hpp"

namespace recombine::cuda {

struct GemmOptions {
  ProductKernel kernel = ProductKernel::library;
  F32Products f32_products = F32Products::f32;
  int gpu = 0;
};

/// Products on a GPU: by cuBLASLt, or by one of the kernels for learning.
class CudaGemm {
 public:
  explicit CudaGemm(const GemmOptions& options)
      : kernel_(options.kernel), library_({.f32_products = options.f32_products, .gpu = options.gpu}) {}

  /// @throws Error if types or sizes do not match, or if the chosen kernel does not multiply these types
  void execute(cudaStream_t stream, const Gemm& gemm);

 private:
  /// @pre no bias, no activation, C not empty, k > 0
  void multiply(cudaStream_t stream, const Gemm& product);

  ProductKernel kernel_;
  GemmCublasLt library_;
};

}  // namespace recombine::cuda
