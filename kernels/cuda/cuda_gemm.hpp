#pragma once

#include <functional>
#include <string>

#include "kernels/cuda/gemm_cublaslt.hpp"
#include "kernels/device.hpp"
#include "kernels/math.hpp"

namespace recombine::cuda {

struct GemmOptions {
  ProductKernel kernel = ProductKernel::library;
  F32Products f32_products = F32Products::f32;
  int gpu = 0;
  std::function<void(const std::string&)> note = {};  ///< as in DeviceOptions
};

/// Products on a GPU: by cuBLASLt, or by one of the kernels for learning.
class CudaGemm {
 public:
  /// The GPU `options.gpu` must be the current one.
  explicit CudaGemm(const GemmOptions& options);

  /// @throws Error if types or sizes do not match, or if the chosen kernel does not multiply these types
  void execute(cudaStream_t stream, const Gemm& gemm);

 private:
  /// @pre no bias, no activation, C not empty, k > 0
  void multiply(cudaStream_t stream, const Gemm& product);

  /// Multiplies by gemm_hopper, or by gemm_tensor if that cannot.
  void multiply_hopper(cudaStream_t stream, const Gemm& product);

  ProductKernel kernel_;
  bool gpu_runs_hopper_;
  std::function<void(const std::string&)> note_;  ///< empty after its call
  GemmCublasLt library_;
};

}  // namespace recombine::cuda
