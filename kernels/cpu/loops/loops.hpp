#pragma once

#include <stdint.h>

#include "kernels/softmax_row_stats.hpp"

// Serial elementwise loops on plain memory. The files of this folder are compiled once per instruction set. So they may
// use templates and inline functions of other headers only if these are static: the linker would keep one copy of the
// others for all instruction sets.

namespace recombine::cpu {

enum class LoopActivation : int { identity, relu, gelu, tanh, sigmoid };  // the order of kernels/math.hpp

struct AdamWScalars {
  float lr, beta1, beta2, epsilon, weight_decay;
  float first_correction;   ///< 1 / (1 - beta1^step)
  float second_correction;  ///< 1 / (1 - beta2^step)
  float gradient_scale;
};

/// A block of rows x cols of the matrices of ActivationGradient (kernels/math.hpp). Stored and In are float, or
/// uint16_t with the bits of a bf16.
template <class Stored, class In>
struct GradientStripe {
  const Stored* saved;
  int64_t saved_ld;
  const In* incoming;  ///< may be gradient
  int64_t incoming_ld;
  Stored* gradient;
  int64_t gradient_ld;
  int64_t rows, cols;
  float* bias_gradient;  ///< null: none
  float beta;
  LoopActivation activation;
  bool checks_saved = false;
};

struct RowLoss {
  float loss;
  float correct;  ///< 1 or 0
};

/// One row of SoftmaxFromStats (kernels/math.hpp).
struct SoftmaxFromStatsRow {
  const float* logits;
  int64_t cols;
  int64_t first_col;
  int64_t label;
  const SoftmaxRowStats* stats;  ///< of part p: stats[p * stats_ld]
  int64_t stats_ld;
  int64_t parts;
  float* gradient;  ///< null: not computed; it may be logits
  float scale;
};

/// One row of SquaredError.
struct SquaredErrorRow {
  const float* outputs;
  const float* targets;
  int64_t cols;
  int64_t global_cols;
  float* gradient;  ///< null: not computed
  float scale;
};

struct LossLoops {
  /// gradient may be null (not computed) or equal to logits
  RowLoss (*softmax_cross_entropy)(const float* logits, int64_t n, int64_t label, float* gradient, float scale);
  SoftmaxRowStats (*softmax_stats)(const float* logits, int64_t n, int64_t first_col, int64_t label);
  RowLoss (*softmax_from_stats)(const SoftmaxFromStatsRow& row);
  RowLoss (*squared_error)(const SquaredErrorRow& row);
};

/// The sum of element_hash over n elements, given as their bits. The first element has index `index`.
struct FingerprintLoops {
  uint64_t (*bits16)(const uint16_t* x, int64_t n, uint64_t key, uint64_t index);
  uint64_t (*bits32)(const uint32_t* x, int64_t n, uint64_t key, uint64_t index);
  uint64_t (*bits64)(const uint64_t* x, int64_t n, uint64_t key, uint64_t index);
};

/// to = from; a narrower type rounds to nearest even. A NaN becomes a quiet NaN. bf16 is given as its bits.
struct CastLoops {
  void (*f32_to_f64)(const float* from, double* to, int64_t n);
  void (*f64_to_f32)(const double* from, float* to, int64_t n);
  void (*f32_to_bf16)(const float* from, uint16_t* to, int64_t n);
  void (*bf16_to_f32)(const uint16_t* from, float* to, int64_t n);
  void (*f64_to_bf16)(const double* from, uint16_t* to, int64_t n);
  void (*bf16_to_f64)(const uint16_t* from, double* to, int64_t n);
};

/// to = activation(from + bias). `bias` may be null: none. `to` may be `from`.
struct BiasActivationLoops {
  void (*f32)(const float* from, const float* bias, float* to, int64_t n, LoopActivation activation);
  void (*f32_to_bf16)(const float* from, const uint16_t* bias, uint16_t* to, int64_t n, LoopActivation activation);
  void (*bf16)(const uint16_t* from, const uint16_t* bias, uint16_t* to, int64_t n, LoopActivation activation);
};

/// Named after the types of `incoming` and `gradient`. Return false if checks_saved, and a value of `saved` is NaN or
/// infinite.
struct GradientLoops {
  bool (*f32)(const GradientStripe<float, float>& stripe);
  bool (*f32_to_bf16)(const GradientStripe<uint16_t, float>& stripe);
  bool (*bf16)(const GradientStripe<uint16_t, uint16_t>& stripe);
};

struct Loops {
  const char* instruction_set;
  void (*gather_u8)(const uint8_t* from, float* to, int64_t n, float scale, float shift);
  void (*gather_f32)(const float* from, float* to, int64_t n, float scale, float shift);
  BiasActivationLoops bias_activation;
  GradientLoops activation_gradient;
  double (*square_sum)(const float* x, int64_t n);
  void (*axpby_f32)(float alpha, const float* x, float beta, float* y, int64_t n);
  void (*axpby_f64)(double alpha, const double* x, double beta, double* y, int64_t n);
  /// The optimizers return true if all new weights are finite.
  bool (*sgd)(float* w, const float* g, int64_t n, float lr, float decay, float scale);
  bool (*momentum)(float* w, const float* g, float* m, int64_t n, float lr, float beta1, float decay, float scale);
  bool (*adamw)(float* w, const float* g, float* m, float* v, int64_t n, const AdamWScalars& s);
  CastLoops cast;
  LossLoops loss;
  FingerprintLoops fingerprint;
};

const Loops& loops_v2();  ///< SSE4.2
const Loops& loops_v3();  ///< AVX2 and FMA
const Loops& loops_v4();  ///< AVX-512

/// The loops for the best instruction set of this machine.
const Loops& loops();

}  // namespace recombine::cpu
