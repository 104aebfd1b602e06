# The GPU kernels, and how nvcc compiles them.
set(RECOMBINE_CUDA_KERNELS
  cuda/activation_gradient.cu
  cuda/add_square_sum.cu
  cuda/axpby.cu
  cuda/begin_step.cu
  cuda/bias_activation.cu
  cuda/cast.cu
  cuda/combine.cu
  cuda/fill.cu
  cuda/fingerprint.cu
  cuda/gather_rows.cu
  cuda/matmul_naive.cu
  cuda/matmul_tensor.cu
  cuda/matmul_tiled.cu
  cuda/optimizer_step.cu
  cuda/softmax_cross_entropy.cu
  cuda/softmax_parts.cu
  cuda/squared_error.cu
  cuda/transpose.cu)
# Kernels that are compiled for compute capability 9.0a only.
set(RECOMBINE_HOPPER_KERNELS cuda/matmul_hopper.cu)
# Host code for the kernels. The host's compiler compiles it.
set(RECOMBINE_CUDA_KERNEL_HOST_SOURCES cuda/launch.cpp)
# expt-relaxed-constexpr: kernels/random.hpp is constexpr and also runs on the GPU. 554: the views of matrix.hpp have a
# conversion to themselves. lineinfo: profilers and the kernels' tests report line numbers.
set(RECOMBINE_CUDA_KERNEL_FLAGS --expt-relaxed-constexpr -diag-suppress=554 -lineinfo)
