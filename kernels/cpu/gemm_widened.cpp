#include "kernels/cpu/gemm_widened.hpp"

#include <algorithm>

#include "kernels/cpu/cast.hpp"

namespace recombine::cpu {

namespace {

constexpr std::int64_t kTileRows = 2048;   // of C, and columns
constexpr std::int64_t kTileDepth = 1024;  // of k

/// Rows [i, i + rows) x columns [j, j + cols) of op(m), in f32, with the same transposition as m.
ConstMatrixView widened(const ConstMatrixView& m, Transpose transpose, std::int64_t i, std::int64_t j,
                        std::int64_t rows, std::int64_t cols, std::vector<float>& scratch) {
  if (scratch.size() < static_cast<std::size_t>(rows * cols)) scratch.resize(static_cast<std::size_t>(rows * cols));
  const ConstMatrixView from = transpose == Transpose::yes ? m.block(j, i, cols, rows) : m.block(i, j, rows, cols);
  const auto to = as_matrix(vector_view(scratch.data(), rows * cols), from.rows, from.cols);
  cast_matrix(from, to);
  return to;
}

}  // namespace

void GemmWidened::execute(const Gemm& gemm, const GemmShape& shape, const Multiply& multiply) {
  for (std::int64_t j = 0; j < shape.n; j += kTileRows) {
    const std::int64_t cols = std::min(kTileRows, shape.n - j);
    for (std::int64_t l = 0; l < shape.k; l += kTileDepth) {
      const std::int64_t depth = std::min(kTileDepth, shape.k - l);
      const bool last = l + depth == shape.k;
      const ConstMatrixView b = widened(gemm.b, gemm.trans_b, l, j, depth, cols, b_);
      for (std::int64_t i = 0; i < shape.m; i += kTileRows) {
        const std::int64_t rows = std::min(kTileRows, shape.m - i);
        multiply({.a = widened(gemm.a, gemm.trans_a, i, l, rows, depth, a_),
                  .trans_a = gemm.trans_a,
                  .b = b,
                  .trans_b = gemm.trans_b,
                  .c = gemm.c.block(i, j, rows, cols),
                  .alpha = gemm.alpha,
                  .beta = l == 0 ? gemm.beta : 1,
                  .bias = last && gemm.bias.size > 0 ? gemm.bias.range(j, j + cols) : ConstVectorView{},
                  .activation = last ? gemm.activation : Activation::identity});
      }
    }
  }
}

}  // namespace recombine::cpu
