#pragma once

#include <functional>
#include <vector>

#include "kernels/gemm_shape.hpp"

namespace recombine::cpu {

/// Products of bf16 operands where no bf16 product is to be had: tile by tile, the operands are widened to f32 in
/// scratch memory of at most 16 MiB, which is kept between calls, and multiplied there into C.
class GemmWidened {
 public:
  using Multiply = std::function<void(const Gemm&)>;
  /// `multiply` is called for f32 products that together are `gemm`. @pre all sizes > 0
  void execute(const Gemm& gemm, const GemmShape& shape, const Multiply& multiply);

 private:
  std::vector<float> a_;
  std::vector<float> b_;
};

}  // namespace recombine::cpu
