#pragma once

#include <cstdint>

#include "kernels/matrix.hpp"
#include "kernels/softmax_row_stats.hpp"
#include "kernels/step_values.hpp"
#include "kernels/stream.hpp"

namespace recombine {

enum class Transpose { no, yes };
enum class Activation { identity, relu, gelu, tanh, sigmoid };
enum class OptimizerKind { sgd, momentum, adamw };

/// The gradient of GELU needs the activation's input; the other gradients are computed from its output.
constexpr bool gradient_needs_input(Activation activation) { return activation == Activation::gelu; }

/// Uniform in [-half_width, half_width): a pure function of (seed, tensor, global index). So the values do not depend
/// on which rank computes them. Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
struct RandomFill {
  std::uint64_t seed = 0;
  std::uint64_t tensor = 0;    ///< distinguishes tensors of one seed
  std::int64_t first_row = 0;  ///< global position of the block's element (0, 0)
  std::int64_t first_col = 0;
  std::int64_t global_cols = 0;  ///< element (i, j) has global index i * global_cols + j
  float half_width = 0;
  /// yes: x is the transpose of the block: x(i, j) is the block's element (j, i)
  Transpose transpose = Transpose::no;
};

/// C = activation(alpha op(A) op(B) + beta C + bias).   op(A)[m,k] op(B)[k,n] C[m,n] bias[n]
/// All f32, all f64, or A and B bf16 (products and sums in f32) with C f32 or bf16. C in bf16 is rounded to nearest
/// even; it needs beta = 0, so that no value is rounded twice. A bias has the type of C. A bias or an activation needs
/// C in f32 or bf16. If beta = 0, C need not be initialised. If k = 0, the product is zero.
struct Gemm {
  ConstMatrixView a;
  Transpose trans_a = Transpose::no;
  ConstMatrixView b;
  Transpose trans_b = Transpose::no;
  MatrixView c;
  double alpha = 1;
  double beta = 0;
  ConstVectorView bias = {};  ///< empty: none
  Activation activation = Activation::identity;
};

/// Begins a training step. All steps make this call with the same arguments. With n = values->begun:
///     results[n - 1 modulo slots] = values->sums (if n > 0);  values->sums = 0
///     values->input = inputs[n modulo slots];  values->begun = n + 1
/// The host writes a step's input before it enqueues the step, and reads its sums later.
struct BeginStep {
  const StepInput* inputs = nullptr;  ///< [slots] MemoryKind::host
  StepSums* results = nullptr;        ///< [slots] in the device's memory
  std::int64_t slots = 0;
  StepValues* values = nullptr;  ///< in the device's memory
};

/// rows[r] = the table's row at position order->position + first + r of the order. Without an order, it is row
/// first + r.
struct BatchRows {
  const BatchOrder* order = nullptr;  ///< in the device's memory
  std::int64_t first = 0;             ///< position in the batch of this part's first row
  VectorView rows;                    ///< [n] i64 out
};

/// rows x cols: out(r, :) = source(rows[r], :) * scale + shift.   source u8 or f32, out f32 or bf16
/// If the source does not have the row, the CPU throws Error, and a GPU writes NaN.
struct GatherRows {
  ConstMatrixView source;
  ConstVectorView rows;  ///< i64, one per row of out
  MatrixView out;
  float scale = 1;
  float shift = 0;
};

/// out = activation(in + bias); in and out may be the same matrix.   in, out [m,n] bias [n], empty: none
/// in and out f32, in f32 and out bf16, or both bf16; the bias has the type of out. Computed in f32.
struct BiasActivation {
  ConstMatrixView in;
  ConstVectorView bias = {};
  MatrixView out;
  Activation activation = Activation::identity;
};

/// gradient = incoming * activation'(saved), and bias_gradient = beta bias_gradient + the column sums of the result.
/// All f32; or saved and gradient bf16, and incoming bf16 or f32. Products and sums are in f32. The sums are of the
/// rounded result, which the next products read.
struct ActivationGradient {
  ConstMatrixView saved;          ///< [m,n] the activation's output; its input if gradient_needs_input()
  ConstMatrixView incoming = {};  ///< [m,n] dLoss/dOutput; empty: `gradient` contains it
  MatrixView gradient;            ///< [m,n] dLoss/dInput
  VectorView bias_gradient = {};  ///< [n] f32, empty: none
  float beta = 0;
  Activation activation = Activation::identity;
  double* bad_saved = nullptr;  ///< in the device's memory: raised to bad_mark if a value of `saved` is NaN or infinite
  double bad_mark = 1;          ///< > 0
};

/// Softmax and cross-entropy in one pass; gradient = (softmax(logits) - onehot(label)) * gradient_scale.
struct SoftmaxCrossEntropy {
  ConstMatrixView logits;    ///< [m,n]
  ConstVectorView labels;    ///< [.] i32, of the whole data set
  ConstVectorView rows;      ///< [m] i64: row r has label labels[rows[r]]
  MatrixView gradient = {};  ///< [m,n] f32 or bf16, may be logits if f32; empty: not computed
  float gradient_scale = 1;  ///< 1 / global batch
  LossSums* sums = nullptr;  ///< in the device's memory
};

/// The softmax of logits with columns cut into parts. Each part writes the statistics of its columns, the parts
/// exchange them (an all_gather of 16 bytes per row), and SoftmaxFromStats joins them.
struct SoftmaxStats {
  ConstMatrixView logits;            ///< [m,n] f32, this part's columns; n may be 0
  ConstVectorView labels;            ///< [.] i32, of the whole data set; global columns
  ConstVectorView rows;              ///< [m] i64: row r has label labels[rows[r]]
  std::int64_t first_col = 0;        ///< global column of this part's column 0; all columns < 2^31
  SoftmaxRowStats* stats = nullptr;  ///< [m] out, in the device's memory
};

/// Like SoftmaxCrossEntropy over the columns of all parts; the gradient covers this part's columns.
/// The statistics are joined in the order of the parts, so every rank gets the same bits.
/// If a label is in no part, the loss is infinite.
struct SoftmaxFromStats {
  ConstMatrixView logits;  ///< [m,n] as for SoftmaxStats
  ConstVectorView labels;
  ConstVectorView rows;
  std::int64_t first_col = 0;
  const SoftmaxRowStats* stats = nullptr;  ///< [parts,m] in the device's memory
  std::int64_t parts = 1;
  MatrixView gradient = {};  ///< [m,n] f32 or bf16, may be logits if f32; empty: not computed
  float gradient_scale = 1;
  LossSums* sums = nullptr;  ///< gets the losses of whole rows, so only one of the parts may use its sums
};

/// loss of a row = mean over columns of (output - target)^2; gradient = 2 (output - target) / columns * gradient_scale.
/// If the columns are cut into parts, each part adds its terms of the mean; the parts' losses add up to the whole loss.
struct SquaredError {
  ConstMatrixView outputs;   ///< [m,n]
  ConstMatrixView targets;   ///< [.,columns] f32, of the whole data set
  ConstVectorView rows;      ///< [m] i64
  MatrixView gradient = {};  ///< [m,n] f32 or bf16; empty: not computed
  float gradient_scale = 1;
  LossSums* sums = nullptr;
  std::int64_t first_col = 0;    ///< the column of targets that belongs to column 0 of outputs
  std::int64_t global_cols = 0;  ///< columns of all parts together; 0: outputs has all columns
};

/// *sum += the sum of element_hash (kernels/element_hash.hpp) over a block of a tensor, modulo 2^64. The order does not
/// matter: the blocks' sums add up to the same value for every way to cut the tensor and on every device. -0 and +0
/// have different hashes.
struct Fingerprint {
  ConstMatrixView block;       ///< [m,n] f32, f64 or bf16
  std::uint64_t tensor = 0;    ///< distinguishes tensors that are added to the same sum
  std::int64_t first_row = 0;  ///< global position of the block's element (0, 0)
  std::int64_t first_col = 0;
  std::int64_t global_cols = 0;  ///< element (i, j) has global index i * global_cols + j
  std::int64_t* sum = nullptr;   ///< in the device's memory; wraps around, like a sum of i64 over ranks
};

/// One step over a flat range.   sgd: w -= lr (g + decay w)
/// momentum: m = beta1 m + g + decay w, w -= lr m (Polyak's heavy ball, in PyTorch's form)
/// adamw: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2
struct OptimizerStep {
  OptimizerKind kind = OptimizerKind::sgd;
  VectorView weights;                     ///< f32
  ConstVectorView gradient;               ///< f32
  VectorView first_moment = {};           ///< f32; momentum and adamw
  VectorView second_moment = {};          ///< f32; adamw
  VectorView rounded_weights = {};        ///< bf16: the new weights, rounded to nearest even; empty: not written
  const OptimizerRates* rates = nullptr;  ///< in the device's memory
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float epsilon = 1e-8F;
  float weight_decay = 0;
  /// [2r] i64 in the device's memory: begin, end, begin, end ... of the ranges of weights without weight decay, in
  /// ascending order. They index a flat buffer, in which `weights` begins at first_weight. Empty: no such ranges
  ConstVectorView undecayed = {};
  std::int64_t first_weight = 0;
  const double* gradient_square_sum = nullptr;  ///< in the device's memory; needed if clip_norm > 0
  float clip_norm = 0;                          ///< > 0: gradient *= min(1, clip_norm / sqrt(*gradient_square_sum))
  /// In the device's memory, >= 0: raised to 1 + the flat index of the last new weight that is NaN or infinite. If the
  /// clipped gradient is NaN only because its norm is, the weight counts as the first of the flat buffer
  double* bad_weight = nullptr;
};

/// Arithmetic. Every call enqueues on `stream` and returns.
class Math {
 public:
  virtual ~Math() = default;
  /// x is f32, f64 (the same values) or bf16 (the same values, rounded)
  virtual void fill(Stream& stream, MatrixView x, const RandomFill& random) = 0;
  /// to = from, for any pair of f32, f64 and bf16, of the same shape; a narrower type rounds to nearest even
  virtual void cast(Stream& stream, ConstMatrixView from, MatrixView to) = 0;
  virtual void begin_step(Stream& stream, const BeginStep& call) = 0;
  virtual void batch_rows(Stream& stream, const BatchRows& call) = 0;
  virtual void gather_rows(Stream& stream, const GatherRows& gather) = 0;
  virtual void gemm(Stream& stream, const Gemm& gemm) = 0;
  virtual void bias_activation(Stream& stream, const BiasActivation& call) = 0;
  virtual void activation_gradient(Stream& stream, const ActivationGradient& call) = 0;
  virtual void softmax_cross_entropy(Stream& stream, const SoftmaxCrossEntropy& loss) = 0;
  virtual void softmax_stats(Stream& stream, const SoftmaxStats& call) = 0;
  virtual void softmax_from_stats(Stream& stream, const SoftmaxFromStats& loss) = 0;
  virtual void squared_error(Stream& stream, const SquaredError& loss) = 0;
  /// *sum += sum of squares of x, in double precision; `sum` is in the device's memory
  virtual void add_square_sum(Stream& stream, ConstVectorView x, double* sum) = 0;
  virtual void fingerprint(Stream& stream, const Fingerprint& call) = 0;
  /// y = alpha x + beta y, f32 or f64. If beta = 0, y need not be initialised, and x may be empty (y = 0)
  virtual void axpby(Stream& stream, double alpha, ConstVectorView x, double beta, VectorView y) = 0;
  virtual void optimizer_step(Stream& stream, const OptimizerStep& step) = 0;
};

}  // namespace recombine
