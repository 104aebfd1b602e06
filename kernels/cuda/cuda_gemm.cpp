#include "kernels/cuda/cuda_gemm.hpp"

#include <utility>

#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/matmul_hopper.hpp"
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

CudaGemm::CudaGemm(const GemmOptions& options)
    : kernel_(options.kernel),
      gpu_runs_hopper_(options.kernel == ProductKernel::hopper && gpu_runs_hopper()),
      note_(options.note),
      library_({.f32_products = options.f32_products, .gpu = options.gpu}) {}

void CudaGemm::execute(cudaStream_t stream, const Gemm& gemm) {
  const GemmShape shape = shape_of(gemm);
  if (gemm.c.empty()) return;
  Gemm rest = gemm;  // bias and activation that a separate pass applies after the product
  if (shape.k == 0 || gemm.alpha == 0) {
    scale_matrix(stream, gemm.beta, gemm.c);
  } else {
    const bool fused = has_epilogue(gemm) && kernel_ == ProductKernel::library && library_fuses(gemm);
    if (fused && library_.execute(stream, gemm)) return;
    Gemm product = gemm;
    product.activation = Activation::identity;
    // If C is bf16, the library adds the bias before it rounds the sum.
    const bool has_bias = rounds_result(gemm) && gemm.bias.size > 0 && kernel_ == ProductKernel::library &&
                          library_.execute(stream, product);
    if (has_bias) {
      rest.bias = {};
    } else {
      product.bias = {};
      multiply(stream, product);
    }
  }
  if (!has_epilogue(rest)) return;
  bias_activation(stream, {.in = gemm.c, .bias = rest.bias, .out = gemm.c, .activation = rest.activation});
}

void CudaGemm::multiply(cudaStream_t stream, const Gemm& product) {
  require(kernel_ == ProductKernel::library || !rounds_result(product),
          "only the library multiplies into bf16; expected C in f32, or the kernel library");
  switch (kernel_) {
    case ProductKernel::library:
      if (!library_.execute(stream, product)) gemm_tiled(stream, product);  // accepts any leading dimension
      return;
    case ProductKernel::naive: return gemm_naive(stream, product);
    case ProductKernel::tiled: return gemm_tiled(stream, product);
    case ProductKernel::tensor:
      require(product.a.type == DataType::bf16, "--kernel tensor: multiplies bf16 only; expected --dtype bf16");
      return gemm_tensor(stream, product);
    case ProductKernel::hopper:
      require(product.a.type == DataType::bf16, "--kernel hopper: multiplies bf16 only; expected --dtype bf16");
      return multiply_hopper(stream, product);
  }
}

void CudaGemm::multiply_hopper(cudaStream_t stream, const Gemm& product) {
  const bool accepted = hopper_accepts(product);
  if (gpu_runs_hopper_ && accepted) return gemm_hopper(stream, product);
  if (note_) {
    const auto note = std::exchange(note_, nullptr);
    note(fmt::format("--kernel hopper: the kernel tensor multiplies instead: {}",
                     gpu_runs_hopper_ ? "rows of A or B are not multiples of 16 bytes apart"
                                      : "hopper has no code for this GPU; expected compute capability 9.0"));
  }
  gemm_tensor(stream, product);
}

}  // namespace recombine::cuda
