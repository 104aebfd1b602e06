#pragma once

#include "kernels/cuda/cuda_gemm.hpp"
#include "kernels/cuda/workspaces.hpp"
#include "kernels/math.hpp"

namespace recombine::cuda {

/// Math on a GPU: products by CudaGemm, everything else by the kernels of launchers.hpp.
class CudaMath final : public Math {
 public:
  explicit CudaMath(const GemmOptions& options) : gemm_(options) {}

  void fill(Stream& stream, MatrixView x, const RandomFill& random) override;
  void cast(Stream& stream, ConstMatrixView from, MatrixView to) override;
  void begin_step(Stream& stream, const BeginStep& call) override;
  void batch_rows(Stream& stream, const BatchRows& call) override;
  void gather_rows(Stream& stream, const GatherRows& gather) override;
  void gemm(Stream& stream, const Gemm& gemm) override;
  void bias_activation(Stream& stream, const BiasActivation& call) override;
  void activation_gradient(Stream& stream, const ActivationGradient& call) override;
  void softmax_cross_entropy(Stream& stream, const SoftmaxCrossEntropy& loss) override;
  void softmax_stats(Stream& stream, const SoftmaxStats& call) override;
  void softmax_from_stats(Stream& stream, const SoftmaxFromStats& loss) override;
  void squared_error(Stream& stream, const SquaredError& loss) override;
  void add_square_sum(Stream& stream, ConstVectorView x, double* sum) override;
  void fingerprint(Stream& stream, const Fingerprint& call) override;
  void axpby(Stream& stream, double alpha, ConstVectorView x, double beta, VectorView y) override;
  void optimizer_step(Stream& stream, const OptimizerStep& step) override;

 private:
  Launch launch_on(Stream& stream);

  CudaGemm gemm_;
  Workspaces workspaces_;
};

}  // namespace recombine::cuda
