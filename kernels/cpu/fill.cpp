#include "kernels/cpu/fill.hpp"

#include <array>
#include <cstring>

#include "kernels/ceil_div.hpp"
#include "kernels/cpu/cast.hpp"
#include "kernels/cpu/split_work.hpp"
#include "kernels/error.hpp"
#include "kernels/random.hpp"

namespace recombine::cpu {

namespace {

constexpr std::int64_t kRun = 64;  // consecutive elements of one row that are drawn together

/// values[j] = the element with global index first + j
void draw(const RandomFill& random, std::int64_t first, std::int64_t n, float* values) {
  std::array<std::uint32_t, 4> words{};
  for (std::int64_t j = 0; j < n; ++j) {
    const auto index = static_cast<std::uint64_t>(first + j);
    if (j == 0 || index % 4 == 0) words = random_words(random.seed, random.tensor, index / 4);
    values[j] = random.half_width * signed_unit(words[index % 4]);
  }
}

/// Writes one element into each of n rows, which are `stride` bytes apart.
template <std::size_t size>
void scatter(const std::byte* from, std::byte* to, std::int64_t stride, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + i * stride, from + i * std::int64_t{size}, size);
}

void scatter(const ConstVectorView& from, std::byte* to, std::int64_t stride) {
  switch (size_of(from.type)) {
    case 2: return scatter<2>(from.data, to, stride, from.size);
    case 4: return scatter<4>(from.data, to, stride, from.size);
    default: return scatter<8>(from.data, to, stride, from.size);
  }
}

/// Writes elements begin .. begin + n - 1 of the block's row `row` to their places in x.
void fill_run(const MatrixView& x, const RandomFill& random, std::int64_t row, std::int64_t begin, std::int64_t n) {
  std::array<float, kRun> values;
  draw(random, (random.first_row + row) * random.global_cols + random.first_col + begin, n, values.data());
  if (random.transpose == Transpose::no) {
    return cast_vector(vector_view(values.data(), n), as_vector(x.block(row, begin, 1, n)));
  }
  alignas(double) std::array<std::byte, kRun * sizeof(double)> cast;
  const VectorView column = {cast.data(), n, x.type};
  cast_vector(vector_view(values.data(), n), column);
  scatter(column, x.block(begin, row, n, 1).data, x.ld * size_of(x.type));
}

}  // namespace

void fill_uniform(const MatrixView& x, const RandomFill& random) {
  require(x.type == DataType::f32 || x.type == DataType::f64 || x.type == DataType::bf16,
          "cannot fill {} with random values; expected f32, f64 or bf16", name_of(x.type));
  const bool transposed = random.transpose == Transpose::yes;
  const std::int64_t rows = transposed ? x.cols : x.rows;
  const std::int64_t cols = transposed ? x.rows : x.cols;
  const std::int64_t runs = ceil_div(cols, kRun);  // in a row
  parallel_for(rows * runs, kGrain / kRun, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t item = first; item < last; ++item) {
      // If transposed, take the same columns of consecutive rows: these elements are neighbours in x.
      const std::int64_t row = transposed ? item % rows : item / runs;
      const std::int64_t begin = (transposed ? item / rows : item % runs) * kRun;
      fill_run(x, random, row, begin, std::min(kRun, cols - begin));
    }
  });
}

}  // namespace recombine::cpu
