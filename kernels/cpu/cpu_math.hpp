#pragma once

#include "kernels/cpu/cpu_gemm.hpp"
#include "kernels/math.hpp"

namespace recombine::cpu {

/// Math on the CPU, for streams that run inline. Libraries compute products; loops for this machine's instruction set
/// compute everything else, on all threads. Only products may depend on the number of threads.
class CpuMath final : public Math {
 public:
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
  CpuGemm gemm_;
};

}  // namespace recombine::cpu
