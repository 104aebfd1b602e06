#pragma once

#include <cuda_runtime_api.h>

#include "kernels/cuda/launch.hpp"
#include "kernels/math.hpp"

/// For each kernel, a function that enqueues it on a stream and returns. kernels/math.hpp describes the operations,
/// shapes and types; pointers are to GPU memory. The same call gives the same bits on every GPU of one architecture.
/// @throws Error if there is no kernel for the types, or if a launch fails
namespace recombine::cuda {

void fill(cudaStream_t stream, MatrixView x, const RandomFill& random);
void cast(cudaStream_t stream, ConstMatrixView from, MatrixView to);
void begin_step(cudaStream_t stream, const BeginStep& call);
void batch_rows(cudaStream_t stream, const BatchRows& call);
/// Writes NaN for a row that the source does not have.
void gather_rows(cudaStream_t stream, const GatherRows& gather);
void bias_activation(cudaStream_t stream, const BiasActivation& call);
void activation_gradient(const Launch& launch, const ActivationGradient& call);
/// If a label is not a column, the loss is NaN.
void softmax_cross_entropy(const Launch& launch, const SoftmaxCrossEntropy& loss);
/// If a label is not a column of any part, the loss is infinite.
void softmax_stats(cudaStream_t stream, const SoftmaxStats& call);
void softmax_from_stats(const Launch& launch, const SoftmaxFromStats& loss);
void squared_error(const Launch& launch, const SquaredError& loss);
void add_square_sum(const Launch& launch, ConstVectorView x, double* sum);
void fingerprint(const Launch& launch, const Fingerprint& call);
void axpby(cudaStream_t stream, double alpha, ConstVectorView x, double beta, VectorView y);
void optimizer_step(cudaStream_t stream, const OptimizerStep& step);
/// c = beta c, f32 or f64; or bf16 with beta = 0. If beta = 0, c need not be initialised.
void scale_matrix(cudaStream_t stream, double beta, MatrixView c);

/// C = alpha op(A) op(B) + beta C, without bias and activation.   @pre shape_of(gemm) does not throw; m, n, k > 0
/// naive and tiled: f32, f64, and bf16 with C f32; tiled also with C bf16; tensor: bf16 with C f32
void gemm_naive(cudaStream_t stream, const Gemm& gemm);
void gemm_tiled(cudaStream_t stream, const Gemm& gemm);
void gemm_tensor(cudaStream_t stream, const Gemm& gemm);

}  // namespace recombine::cuda
