#include "kernels/cpu/loops/loss_loops.hpp"

#include <math.h>

// glibc's libmvec has a vector version of this function.
extern "C" {
__attribute__((simd("notinbranch"))) float expf(float) noexcept;
}

namespace recombine::cpu::RECOMBINE_ISA {

namespace {

constexpr float kLowest = -__builtin_huge_valf();
constexpr float kNaN = __builtin_nanf("");

struct Largest {
  float value;
  int64_t at;  ///< index of the first maximum; -1 if no value is above -infinity
};

Largest largest_of(const float* x, int64_t n) {
  Largest largest = {kLowest, -1};
  for (int64_t j = 0; j < n; ++j) {
    if (x[j] > largest.value) largest = {x[j], j};
  }
  return largest;
}

float exp_sum(const float* x, int64_t n, float largest) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; ++j) sum += expf(x[j] - largest);
  return sum;
}

/// exp_sum if the maximum is -infinity, where exp(x - maximum) would be NaN. Another part may have a larger maximum.
float count_lowest(const float* x, int64_t n) {
  float sum = 0;
  for (int64_t j = 0; j < n; ++j) sum += x[j] == kLowest ? 1 : x[j];
  return sum;
}

/// The statistics of a whole row, joined from those of its parts. The sum is NaN if the maximum is infinite.
SoftmaxRowStats joined(const SoftmaxFromStatsRow& row) {
  SoftmaxRowStats whole = {kLowest, 0, INT32_MAX, kLowest};
  for (int64_t p = 0; p < row.parts; ++p) {
    const SoftmaxRowStats part = row.stats[p * row.stats_ld];
    const bool first = part.largest == whole.largest && part.at < whole.at;
    if (part.largest > whole.largest || first) whole.at = part.at;
    const float largest = part.largest > whole.largest ? part.largest : whole.largest;
    const float before = whole.largest == largest ? 1 : expf(whole.largest - largest);
    const float now = part.largest == largest ? 1 : expf(part.largest - largest);
    whole.sum = whole.sum * before + part.sum * now;
    whole.largest = largest;
    if (part.label_logit > whole.label_logit) whole.label_logit = part.label_logit;
  }
  if (!(whole.largest - whole.largest == 0)) whole.sum = kNaN;
  return whole;
}

RowLoss loss_of(const SoftmaxRowStats& row, int64_t label) {  // a row with a NaN logit does not count as correct
  return {logf(row.sum) + row.largest - row.label_logit, row.at == label && row.sum == row.sum ? 1.0F : 0.0F};
}

}  // namespace

RowLoss softmax_cross_entropy(const float* logits, int64_t n, int64_t label, float* gradient, float scale) {
  if (n == 0) return {0, 0};
  const Largest first = largest_of(logits, n);
  const float largest = first.value;
  const float label_logit = logits[label];
  float sum = 0;
  if (gradient) {
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < n; ++j) {
      const float e = expf(logits[j] - largest);
      gradient[j] = e;
      sum += e;
    }
    const float factor = scale / sum;
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) gradient[j] *= factor;
    gradient[label] -= scale;
  } else {
    sum = exp_sum(logits, n, largest);
  }
  return loss_of({largest, sum, static_cast<int32_t>(first.at), label_logit}, label);
}

SoftmaxRowStats softmax_stats(const float* logits, int64_t n, int64_t first_col, int64_t label) {
  const Largest first = largest_of(logits, n);
  const int64_t column = label - first_col;
  const bool lowest = first.at < 0;
  return {first.value, lowest ? count_lowest(logits, n) : exp_sum(logits, n, first.value),
          lowest ? INT32_MAX : static_cast<int32_t>(first_col + first.at),
          column >= 0 && column < n ? logits[column] : kLowest};
}

RowLoss softmax_from_stats(const SoftmaxFromStatsRow& row) {
  const SoftmaxRowStats whole = joined(row);
  if (row.gradient) {
    const float* const logits = row.logits;
    float* const gradient = row.gradient;
    const float largest = whole.largest;
    const float factor = row.scale / whole.sum;
#pragma omp simd
    for (int64_t j = 0; j < row.cols; ++j) gradient[j] = expf(logits[j] - largest) * factor;
    const int64_t column = row.label - row.first_col;
    if (column >= 0 && column < row.cols) gradient[column] -= row.scale;
  }
  return loss_of(whole, row.label);
}

RowLoss squared_error(const SquaredErrorRow& row) {
  const float* const outputs = row.outputs;
  const float* const targets = row.targets;
  float* const gradient = row.gradient;
  const int64_t n = row.cols;
  if (n == 0) return {0, 0};
  const float factor = 2 * row.scale / static_cast<float>(row.global_cols);
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; ++j) {
    const float error = outputs[j] - targets[j];
    sum += error * error;
  }
  if (gradient) {
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) gradient[j] = (outputs[j] - targets[j]) * factor;
  }
  return {sum / static_cast<float>(row.global_cols), 0};
}

}  // namespace recombine::cpu::RECOMBINE_ISA
