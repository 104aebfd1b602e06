#include "kernels/cuda/cuda_math.hpp"

#include "kernels/cuda/cuda_stream.hpp"
#include "kernels/cuda/launchers.hpp"
#include "kernels/error.hpp"
#include "kernels/math_checks.hpp"

namespace recombine::cuda {

namespace {

template <class A, class B>
void require_same_shape(const A& a, const B& b, const char* what) {
  require(a.rows == b.rows && a.cols == b.cols, "{} [{},{}] and [{},{}]; expected equal shapes", what, a.rows, a.cols,
          b.rows, b.cols);
}

}  // namespace

Launch CudaMath::launch_on(Stream& stream) {
  const cudaStream_t cuda_stream = as_cuda_stream(stream);
  return {cuda_stream, workspaces_.of(cuda_stream)};
}

void CudaMath::fill(Stream& stream, MatrixView x, const RandomFill& random) {
  cuda::fill(as_cuda_stream(stream), x, random);
}

void CudaMath::cast(Stream& stream, ConstMatrixView from, MatrixView to) {
  require_same_shape(from, to, "cast of");
  cuda::cast(as_cuda_stream(stream), from, to);
}

void CudaMath::begin_step(Stream& stream, const BeginStep& call) { cuda::begin_step(as_cuda_stream(stream), call); }

void CudaMath::batch_rows(Stream& stream, const BatchRows& call) { cuda::batch_rows(as_cuda_stream(stream), call); }

/// The host cannot check the row numbers, which are in GPU memory. For a row outside the source, the kernel writes NaN.
void CudaMath::gather_rows(Stream& stream, const GatherRows& gather) {
  check_gather(gather);
  cuda::gather_rows(as_cuda_stream(stream), gather);
}

void CudaMath::gemm(Stream& stream, const Gemm& gemm) { gemm_.execute(as_cuda_stream(stream), gemm); }

void CudaMath::bias_activation(Stream& stream, const BiasActivation& call) {
  check_bias_activation(call);
  cuda::bias_activation(as_cuda_stream(stream), call);
}

void CudaMath::activation_gradient(Stream& stream, const ActivationGradient& call) {
  check_activation_gradient(call);
  cuda::activation_gradient(launch_on(stream), call);
}

void CudaMath::softmax_cross_entropy(Stream& stream, const SoftmaxCrossEntropy& loss) {
  require(loss.rows.size >= loss.logits.rows, "{} labels for {} rows", loss.rows.size, loss.logits.rows);
  check_loss_gradient(loss.logits, loss.gradient);
  cuda::softmax_cross_entropy(launch_on(stream), loss);
}

void CudaMath::softmax_stats(Stream& stream, const SoftmaxStats& call) {
  require(call.rows.size >= call.logits.rows, "{} labels for {} rows", call.rows.size, call.logits.rows);
  cuda::softmax_stats(as_cuda_stream(stream), call);
}

void CudaMath::softmax_from_stats(Stream& stream, const SoftmaxFromStats& loss) {
  require(loss.rows.size >= loss.logits.rows, "{} labels for {} rows", loss.rows.size, loss.logits.rows);
  check_loss_gradient(loss.logits, loss.gradient);
  cuda::softmax_from_stats(launch_on(stream), loss);
}

void CudaMath::squared_error(Stream& stream, const SquaredError& loss) {
  check_squared_error(loss);
  check_loss_gradient(loss.outputs, loss.gradient);
  cuda::squared_error(launch_on(stream), loss);
}

void CudaMath::add_square_sum(Stream& stream, ConstVectorView x, double* sum) {
  cuda::add_square_sum(launch_on(stream), x, sum);
}

void CudaMath::fingerprint(Stream& stream, const Fingerprint& call) {
  check_fingerprint(call);
  cuda::fingerprint(launch_on(stream), call);
}

void CudaMath::axpby(Stream& stream, double alpha, ConstVectorView x, double beta, VectorView y) {
  check_axpby(x, y);
  cuda::axpby(as_cuda_stream(stream), alpha, x, beta, y);
}

void CudaMath::optimizer_step(Stream& stream, const OptimizerStep& step) {
  require(step.gradient.size >= step.weights.size, "{} gradients for {} weights; expected a gradient for every weight",
          step.gradient.size, step.weights.size);
  cuda::optimizer_step(as_cuda_stream(stream), step);
}

}  // namespace recombine::cuda
