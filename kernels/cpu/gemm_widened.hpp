#pragma once

#include <functional>
#include <vector>

#include "kernels/gemm_shape.hpp"

namespace recombine::cpu {

/// Products of bf16 operands if oneDNN has no bf16 product. Tile by tile, it widens the operands to f32 in scratch
/// memory and multiplies them into C. If C is bf16, a tile of C is summed in f32 and then rounded. The scratch memory
/// has at most 32 MiB and is kept between calls.
class GemmWidened {
 public:
  using Multiply = std::function<void(const Gemm&)>;
  /// Calls `multiply` for f32 products that together make up `gemm`. @pre all sizes > 0
  void execute(const Gemm& gemm, const GemmShape& shape, const Multiply& multiply);

 private:
  struct Part {
    std::int64_t first, count;
  };
  /// A tile of C; `c` is the tile itself, or f32 memory for its sums.
  struct Tile {
    Part rows, cols;
    std::int64_t k;
    MatrixView c;
  };

  void multiply_tile(const Gemm& gemm, const Tile& tile, const Multiply& multiply);

  std::vector<float> a_, b_, c_, bias_;
};

}  // namespace recombine::cpu
