#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"
#include "kernels/random.hpp"

namespace recombine::cuda {

namespace {

/// Item (row, q): elements of the block's row that Philox draws together: their global indices / 4 are equal.
template <class T>
struct FillItem {
  T* x;
  std::int64_t row_stride;  // in x, from one of the block's rows to the next
  std::int64_t col_stride;
  std::int64_t cols;  // of the block
  RandomFill random;

  __device__ __forceinline__ void draw(std::int64_t row, std::int64_t q) const {
    const std::int64_t first = (random.first_row + row) * random.global_cols + random.first_col;
    const std::uint64_t four = static_cast<std::uint64_t>(first) / 4 + static_cast<std::uint64_t>(q);
    const std::int64_t begin = static_cast<std::int64_t>(four * 4) - first;  // column of the first of the four
    if (begin >= cols) return;
    const auto words = random_words(random.seed, random.tensor, four);
    T* const to = x + row * row_stride + begin * col_stride;
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      if (begin + e < 0 || begin + e >= cols) continue;
      to[e * col_stride] = converted<T>(random.half_width * signed_unit(words[static_cast<std::size_t>(e)]));
    }
  }

  /// Neighbouring threads write neighbouring elements of a row of x. If transposed, this row is a column of the block.
  __device__ __forceinline__ void operator()(std::int64_t i, std::int64_t j) const {
    random.transpose == Transpose::yes ? draw(j, i) : draw(i, j);
  }
};

/// Like FillItem, with one store for four elements. @pre every group of four is in one pack of x
template <class T>
struct FillPackItem {
  T* x;
  std::int64_t ld;
  std::int64_t cols;
  std::uint64_t first_four;  // of row 0
  std::uint64_t row_fours;   // from one row to the next
  RandomFill random;

  __device__ __forceinline__ void operator()(std::int64_t i, std::int64_t q) const {
    const auto four = first_four + static_cast<std::uint64_t>(i) * row_fours + static_cast<std::uint64_t>(q);
    const auto words = random_words(random.seed, random.tensor, four);
    Pack<T, kWide> pack;
#pragma unroll
    for (int e = 0; e < kWide; ++e) {
      pack.at[e] = converted<T>(random.half_width * signed_unit(words[static_cast<std::size_t>(e)]));
    }
    store_pack<kWide>(x + i * ld + q * kWide, pack, pack_count<kWide>(cols, q));
  }
};

/// Fills x by FillPackItem. Returns false, and enqueues nothing, if groups of four are not in packs of x.
template <class T>
bool fill_packs(cudaStream_t stream, MatrixView x, const RandomFill& random) {
  const std::int64_t first = random.first_row * random.global_cols + random.first_col;
  if (x.cols == random.global_cols) x = flattened(x);
  const bool rows_fit = x.rows <= 1 || random.global_cols % kWide == 0;
  if (random.transpose == Transpose::yes || first % kWide != 0 || !rows_fit || !packs_fit_matrix(x)) return false;
  const FillPackItem<T> item = {x.as<T>(),
                                x.ld,
                                x.cols,
                                static_cast<std::uint64_t>(first / kWide),
                                static_cast<std::uint64_t>(random.global_cols / kWide),
                                random};
  for_elements(stream, "fill", x.rows, ceil_div(x.cols, kWide), item);
  return true;
}

template <class T>
void fill_as(cudaStream_t stream, const MatrixView& x, const RandomFill& random) {
  if (fill_packs<T>(stream, x, random)) return;
  const bool transposed = random.transpose == Transpose::yes;
  const std::int64_t rows = transposed ? x.cols : x.rows;
  const std::int64_t cols = transposed ? x.rows : x.cols;
  const std::int64_t fours = ceil_div(cols + 3, 4);  // a row may begin at the last element of a group of four
  const FillItem<T> item = {x.as<T>(), transposed ? 1 : x.ld, transposed ? x.ld : 1, cols, random};
  for_elements(stream, "fill", transposed ? fours : rows, transposed ? rows : fours, item);
}

}  // namespace

void fill(cudaStream_t stream, MatrixView x, const RandomFill& random) {
  switch (x.type) {
    case DataType::f32: return fill_as<float>(stream, x, random);
    case DataType::f64: return fill_as<double>(stream, x, random);
    case DataType::bf16: return fill_as<BFloat16>(stream, x, random);
    default: refuse_type("fill", x.type);
  }
}

}  // namespace recombine::cuda
