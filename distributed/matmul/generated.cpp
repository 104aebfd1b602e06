#include "distributed/matmul/generated.hpp"

#include <bit>

#include "kernels/random.hpp"

namespace recombine {

double Generated::at(std::int64_t row, std::int64_t col, DataType type) const {
  const auto index = static_cast<std::uint64_t>(row * cols + col);
  const float value = signed_unit(random_words(seed, tensor, index / 4)[index % 4]);
  if (type != DataType::bf16) return static_cast<double>(value);
  // bf16 is the upper half of an f32; to nearest, ties to even.
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) & 0xFFFF0000U;
  return static_cast<double>(std::bit_cast<float>(rounded));
}

void generate(RankContext& context, const Generated& matrix, Range rows, Range cols, Transpose transpose,
              MatrixView to) {
  context.math().fill(context.compute(), to,
                      {.seed = matrix.seed,
                       .tensor = matrix.tensor,
                       .first_row = rows.begin,
                       .first_col = cols.begin,
                       .global_cols = matrix.cols,
                       .half_width = 1,
                       .transpose = transpose});
}

void generate(RankContext& context, const Generated& matrix, Transpose transpose, const DistMatrix& to) {
  for (const Block& block : to.blocks()) {
    const bool swapped = transpose == Transpose::yes;
    generate(context, matrix, swapped ? block.cols : block.rows, swapped ? block.rows : block.cols, transpose,
             block.view);
  }
}

}  // namespace recombine
