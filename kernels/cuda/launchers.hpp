#pragma once

#include <cuda_runtime_api.h>

#include "kernels/math.hpp"

/// The kernels, each as a function that enqueues it on `stream` and returns. Semantics, shapes and types are those
/// of kernels/math.hpp; pointers are the GPU's. The same call gives the same bits, on every GPU of one architecture.
/// @throws Error where there is no kernel for the types, or a launch fails
namespace recombine::cuda {

void fill(cudaStream_t stream, MatrixView x, const RandomFill& random);
void cast(cudaStream_t stream, ConstMatrixView from, MatrixView to);
/// A row that is not of the source gives NaN.
void gather_rows(cudaStream_t stream, const GatherRows& gather);
void bias_activation(cudaStream_t stream, const BiasActivation& call);
void activation_gradient(cudaStream_t stream, const ActivationGradient& call);
/// A label that is no column gives the loss NaN.
void softmax_cross_entropy(cudaStream_t stream, const SoftmaxCrossEntropy& loss);
/// A label that is no column of any part gives an infinite loss.
void softmax_stats(cudaStream_t stream, const SoftmaxStats& call);
void softmax_from_stats(cudaStream_t stream, const SoftmaxFromStats& loss);
void squared_error(cudaStream_t stream, const SquaredError& loss);
void add_square_sum(cudaStream_t stream, ConstVectorView x, double* sum);
void fingerprint(cudaStream_t stream, const Fingerprint& call);
void axpby(cudaStream_t stream, double alpha, ConstVectorView x, double beta, VectorView y);
void optimizer_step(cudaStream_t stream, const OptimizerStep& step);
/// c = beta c, f32 or f64; with beta = 0, c need not be initialised
void scale_matrix(cudaStream_t stream, double beta, MatrixView c);

/// C = alpha op(A) op(B) + beta C, without bias and activation.   @pre shape_of(gemm) accepts it; m, n, k > 0
/// naive and tiled: f32, f64, and bf16 with C f32; tensor: bf16 with C f32
void gemm_naive(cudaStream_t stream, const Gemm& gemm);
void gemm_tiled(cudaStream_t stream, const Gemm& gemm);
void gemm_tensor(cudaStream_t stream, const Gemm& gemm);

}  // namespace recombine::cuda
