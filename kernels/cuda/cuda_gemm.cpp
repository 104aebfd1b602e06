#include "kernels/cuda/cuda_gemm.hpp"

#include "kernels/cuda/launchers.hpp"
#include "kernels/error.hpp"
#include "kernels/gemm_shape.hpp"

namespace recombine::cuda {

namespace {

/// True if cuBLASLt applies the activation in the same pass. Its GELU is reported to be slower than a separate kernel.
/// For ReLU no mask is kept: the gradient is computed from the output, which the model keeps anyway.
bool library_fuses(const Gemm& gemm) {
  return gemm.activation == Activation::identity || gemm.activation == Activation::relu;
}

}  // namespace

void CudaGemm::execute(cudaStream_t stream, const Gemm& gemm) {
  const GemmShape shape = shape_of(gemm);
  if (gemm.c.empty()) return;
  if (shape.k == 0 || gemm.alpha == 0) {
    scale_matrix(stream, gemm.beta, gemm.c);
  } else {
    const bool fused = has_epilogue(gemm) && kernel_ == ProductKernel::library && library_fuses(gemm);
    if (fused && library_.execute(stream, gemm)) return;
    Gemm product = gemm;
    product.bias = {};
    product.activation = Activation::identity;
    multiply(stream, product);
  }
  if (!has_epilogue(gemm)) return;
  bias_activation(stream, {.in = gemm.c, .bias = gemm.bias, .out = gemm.c, .activation = gemm.activation});
}

void CudaGemm::multiply(cudaStream_t stream, const Gemm& product) {
  switch (kernel_) {
    case ProductKernel::library:
      if (!library_.execute(stream, product)) gemm_tiled(stream, product);  // accepts any leading dimension
      return;
    case ProductKernel::naive: return gemm_naive(stream, product);
    case ProductKernel::tiled: return gemm_tiled(stream, product);
    case ProductKernel::tensor:
      require(product.a.type == DataType::bf16, "--kernel tensor: multiplies bf16 only; expected --dtype bf16");
      return gemm_tensor(stream, product);
  }
}

}  // namespace recombine::cuda
