#pragma once

#include <functional>
#include <vector>

#include "kernels/gemm_shape.hpp"

namespace recombine::cpu {

/// Products of bf16 operands if oneDNN has no bf16 product. Tile by tile, it widens the operands to f32 in scratch
/// memory and multiplies them into C. The scratch memory has at most 16 MiB and is kept between calls.
class GemmWidened {
 public:
  using Multiply = std::function<void(const Gemm&)>;
  /// Calls `multiply` for f32 products that together make up `gemm`. @pre all sizes > 0
  void execute(const Gemm& gemm, const GemmShape& shape, const Multiply& multiply);

 private:
  std::vector<float> a_;
  std::vector<float> b_;
};

}  // namespace recombine::cpu
