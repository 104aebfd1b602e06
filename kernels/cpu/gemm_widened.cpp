#include "kernels/cpu/gemm_widened.hpp"

#include <algorithm>

#include "kernels/cpu/cast.hpp"

namespace recombine::cpu {

namespace {

constexpr std::int64_t kTileRows = 2048;   // of C, and columns
constexpr std::int64_t kTileDepth = 1024;  // of k

float* at_least(std::vector<float>& scratch, std::int64_t size) {
  if (scratch.size() < static_cast<std::size_t>(size)) scratch.resize(static_cast<std::size_t>(size));
  return scratch.data();
}

/// Rows [i, i + rows) x columns [j, j + cols) of op(m), in f32, with the same transposition as m.
ConstMatrixView widened(const ConstMatrixView& m, Transpose transpose, std::int64_t i, std::int64_t j,
                        std::int64_t rows, std::int64_t cols, std::vector<float>& scratch) {
  const ConstMatrixView from = transpose == Transpose::yes ? m.block(j, i, cols, rows) : m.block(i, j, rows, cols);
  const auto to = as_matrix(vector_view(at_least(scratch, rows * cols), rows * cols), from.rows, from.cols);
  cast_matrix(from, to);
  return to;
}

}  // namespace

void GemmWidened::execute(const Gemm& gemm, const GemmShape& shape, const Multiply& multiply) {
  for (std::int64_t i = 0; i < shape.m; i += kTileRows) {
    const std::int64_t rows = std::min(kTileRows, shape.m - i);
    for (std::int64_t j = 0; j < shape.n; j += kTileRows) {
      const std::int64_t cols = std::min(kTileRows, shape.n - j);
      const MatrixView c = gemm.c.block(i, j, rows, cols);
      if (!rounds_result(gemm)) {
        multiply_tile(gemm, {.rows = {i, rows}, .cols = {j, cols}, .k = shape.k, .c = c}, multiply);
      } else {
        const auto sums = as_matrix(vector_view(at_least(c_, rows * cols), rows * cols), rows, cols);
        multiply_tile(gemm, {.rows = {i, rows}, .cols = {j, cols}, .k = shape.k, .c = sums}, multiply);
        cast_matrix(sums, c);
      }
    }
  }
}

void GemmWidened::multiply_tile(const Gemm& gemm, const Tile& tile, const Multiply& multiply) {
  const auto [i, rows] = tile.rows;
  const auto [j, cols] = tile.cols;
  ConstVectorView bias = gemm.bias.size > 0 ? gemm.bias.range(j, j + cols) : ConstVectorView{};
  if (bias.type == DataType::bf16) {
    const VectorView to = vector_view(at_least(bias_, cols), cols);
    cast_vector(bias, to);
    bias = to;
  }
  for (std::int64_t l = 0; l < tile.k; l += kTileDepth) {
    const std::int64_t depth = std::min(kTileDepth, tile.k - l);
    const bool last = l + depth == tile.k;
    multiply({.a = widened(gemm.a, gemm.trans_a, i, l, rows, depth, a_),
              .trans_a = gemm.trans_a,
              .b = widened(gemm.b, gemm.trans_b, l, j, depth, cols, b_),
              .trans_b = gemm.trans_b,
              .c = tile.c,
              .alpha = gemm.alpha,
              .beta = l == 0 ? gemm.beta : 1,
              .bias = last ? bias : ConstVectorView{},
              .activation = last ? gemm.activation : Activation::identity});
  }
}

}  // namespace recombine::cpu
