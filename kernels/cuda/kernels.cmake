# The GPU's kernels, and how nvcc compiles them.
set(RECOMBINE_CUDA_KERNELS
  cuda/activation_gradient.cu
  cuda/add_square_sum.cu
  cuda/axpby.cu
  cuda/bias_activation.cu
  cuda/cast.cu
  cuda/fill.cu
  cuda/fingerprint.cu
  cuda/gather_rows.cu
  cuda/matmul_naive.cu
  cuda/matmul_tensor.cu
  cuda/matmul_tiled.cu
  cuda/optimizer_step.cu
  cuda/softmax_cross_entropy.cu
  cuda/softmax_parts.cu
  cuda/squared_error.cu)
# Host code that goes with them, for the host's compiler.
set(RECOMBINE_CUDA_KERNEL_HOST_SOURCES cuda/launch.cpp)
# Relaxed: kernels/random.hpp is constexpr, and so runs on the GPU. 554: matrix.hpp's views convert to themselves.
# lineinfo: profilers and the kernels' tests name lines.
set(RECOMBINE_CUDA_KERNEL_FLAGS --expt-relaxed-constexpr -diag-suppress=554 -lineinfo)
