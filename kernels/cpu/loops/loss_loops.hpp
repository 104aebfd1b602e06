#pragma once

#include "kernels/cpu/loops/loops.hpp"

/// The loops of the losses for one instruction set.
namespace recombine::cpu::RECOMBINE_ISA {

RowLoss softmax_cross_entropy(const float* logits, int64_t n, int64_t label, float* gradient, float scale);
SoftmaxRowStats softmax_stats(const float* logits, int64_t n, int64_t first_col, int64_t label);
RowLoss softmax_from_stats(const SoftmaxFromStatsRow& row);
RowLoss squared_error(const SquaredErrorRow& row);

constexpr LossLoops kLossLoops = {softmax_cross_entropy, softmax_stats, softmax_from_stats, squared_error};

}  // namespace recombine::cpu::RECOMBINE_ISA
