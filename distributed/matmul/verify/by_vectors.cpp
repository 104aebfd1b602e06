#include <algorithm>
#include <cmath>

#include "distributed/matmul/verify/finding.hpp"
#include "kernels/error.hpp"
#include "kernels/random.hpp"

namespace recombine {

namespace {

constexpr int kVectors = 2;
constexpr double kLambda = 8;
constexpr std::uint64_t kSeed = 0x7665726966790000;

double random_sign(std::int64_t col, int vector) {
  const auto words = random_words(kSeed, static_cast<std::uint64_t>(vector), static_cast<std::uint64_t>(col) / 4);
  return (words[static_cast<std::size_t>(col % 4)] & 1U) != 0 ? 1.0 : -1.0;
}

/// Sums of squares: of all elements, and of those that a product may take as 0.
struct Squares {
  double all = 0;
  double flushed = 0;
  void add(double x, double flushed_below) {
    all += x * x;
    if (std::abs(x) < flushed_below) flushed += x * x;
  }
};

/// The random vectors, and the products of rows with them, block by block of columns.
class Vectors {
 public:
  Vectors(std::int64_t n, int blocks, double flushed_below) : n_(n), blocks_(blocks), flushed_below_(flushed_below) {
    for (int v = 0; v < kVectors; ++v) {
      for (std::int64_t c = 0; c < n; ++c) signs_.push_back(random_sign(c, v));
    }
  }
  double flushed_below() const { return flushed_below_; }
  int columns() const { return blocks_ * kVectors; }  ///< of Y, Z and W

  /// add(block, vector, sum over the block's columns of values * x, their squares with the first vector) for each block
  /// that the columns from `first` touch.
  template <class Add>
  void multiply(std::int64_t first, const Doubles& values, const Add& add) const {
    const std::int64_t end = first + static_cast<std::int64_t>(values.size());
    for (int j = 0; j < blocks_; ++j) {
      const Range block = split_range(n_, blocks_, j);
      const std::int64_t from = std::max(block.begin, first);
      const std::int64_t to = std::min(block.end, end);
      if (from >= to) continue;
      const double* const at = values.data() + (from - first);
      for (int v = 0; v < kVectors; ++v) {
        const double* const x = signs_.data() + v * n_ + from;
        double sum = 0;
        for (std::int64_t c = 0; c < to - from; ++c) sum += at[c] * x[c];
        Squares squares;
        if (v == 0) {
          for (std::int64_t c = 0; c < to - from; ++c) squares.add(at[c], flushed_below_);
        }
        add(j, v, sum, squares);
      }
    }
  }

 private:
  std::int64_t n_;
  int blocks_;
  double flushed_below_;
  Doubles signs_;
};

/// What C x should be, and the norms for the bound. Columns q = block * kVectors + vector; z is [q][m].
struct Expected {
  Doubles z;
  Doubles row_squares, row_flushed;      ///< Squares of A, per row
  Doubles block_squares, block_flushed;  ///< of B, per block of columns
};

Expected expected_products(Communicator& world, Stream& stream, const Verification& what, const Vectors& vectors) {
  const std::int64_t m = what.shape.m;
  const std::int64_t columns = vectors.columns();
  const int blocks = what.mesh.extent(Axis::j);
  Doubles y(static_cast<std::size_t>(what.shape.k * columns));
  Expected expected{.z = Doubles(static_cast<std::size_t>(m * columns)),
                    .row_squares = Doubles(static_cast<std::size_t>(m)),
                    .row_flushed = Doubles(static_cast<std::size_t>(m)),
                    .block_squares = Doubles(static_cast<std::size_t>(blocks)),
                    .block_flushed = Doubles(static_cast<std::size_t>(blocks))};
  for_each_row(what.b, [&](std::int64_t k, std::int64_t first, const Doubles& values) {
    vectors.multiply(first, values, [&](int block, int v, double sum, const Squares& squares) {
      y[static_cast<std::size_t>(k * columns + std::int64_t{block} * kVectors + v)] += sum;
      expected.block_squares[static_cast<std::size_t>(block)] += squares.all;
      expected.block_flushed[static_cast<std::size_t>(block)] += squares.flushed;
    });
  });
  sum_over_ranks(world, stream, y);
  for_each_row(what.a, [&](std::int64_t k, std::int64_t first, const Doubles& values) {
    const auto size = static_cast<std::int64_t>(values.size());
    for (std::int64_t q = 0; q < columns; ++q) {
      const double factor = what.alpha * y[static_cast<std::size_t>(k * columns + q)];
      double* const z = expected.z.data() + q * m + first;
      for (std::int64_t r = 0; r < size; ++r) z[r] += factor * values[static_cast<std::size_t>(r)];
    }
    for (std::int64_t r = 0; r < size; ++r) {
      Squares squares;
      squares.add(values[static_cast<std::size_t>(r)], vectors.flushed_below());
      expected.row_squares[static_cast<std::size_t>(first + r)] += squares.all;
      expected.row_flushed[static_cast<std::size_t>(first + r)] += squares.flushed;
    }
  });
  if (what.beta != 0) {
    for_each_row(what.c0, [&](std::int64_t row, std::int64_t first, const Doubles& values) {
      vectors.multiply(first, values, [&](int block, int v, double sum, const Squares& /*squares*/) {
        expected.z[static_cast<std::size_t>((block * kVectors + v) * m + row)] += what.beta * sum;
      });
    });
  }
  for (Doubles* sums :
       {&expected.z, &expected.row_squares, &expected.row_flushed, &expected.block_squares, &expected.block_flushed}) {
    sum_over_ranks(world, stream, *sums);
  }
  return expected;
}

}  // namespace

Verdict verify_by_vectors(Communicator& world, Stream& stream, const Verification& own) {
  const Verification what = with_common_factors(world, stream, own);
  const std::int64_t m = what.shape.m;
  const Underflow underflow = underflow_of(what.shape.type, what.stored);
  const Vectors vectors(what.shape.n, what.mesh.extent(Axis::j), underflow.operand);
  const Expected expected = expected_products(world, stream, what, vectors);

  // C x and |C_r|^2 for the rows of blocks that this rank has; `seen` marks those.
  Doubles w(expected.z.size());
  Doubles squares(static_cast<std::size_t>(m * what.mesh.extent(Axis::j)));
  std::vector<bool> seen(squares.size());
  for_each_row(what.c, [&](std::int64_t row, std::int64_t first, const Doubles& values) {
    vectors.multiply(first, values, [&](int block, int v, double sum, const Squares& square) {
      w[static_cast<std::size_t>((block * kVectors + v) * m + row)] += sum;
      squares[static_cast<std::size_t>(block * m + row)] += square.all;
      seen[static_cast<std::size_t>(block * m + row)] = true;
    });
  });

  const double u = unit_roundoff(what.shape.result_type());
  const double growth = std::sqrt(static_cast<double>(what.shape.k) + 1) * u;
  Finding worst;
  for (std::size_t at = 0; at < seen.size(); ++at) {
    if (!seen[at]) continue;
    const auto row = static_cast<std::int64_t>(at) % m;
    const auto block = static_cast<int>(static_cast<std::int64_t>(at) / m);
    const auto norm = [](const Doubles& squares_of, std::size_t of) { return std::sqrt(squares_of[of]); };
    const auto r = static_cast<std::size_t>(row);
    const auto j = static_cast<std::size_t>(block);
    const double alpha = std::abs(what.alpha);
    const double norms = alpha * norm(expected.row_squares, r) * norm(expected.block_squares, j);
    // Losses by underflow may all have one sign, so they add up over the columns.
    const auto cols = static_cast<double>(split_range(what.shape.n, what.mesh.extent(Axis::j), block).size());
    const double flushed = alpha * std::sqrt(cols) *
                           (norm(expected.row_flushed, r) * norm(expected.block_squares, j) +
                            norm(expected.row_squares, r) * norm(expected.block_flushed, j));
    const double lost =
        cols * (std::max(1.0, alpha) * (static_cast<double>(what.shape.k) + 2) * underflow.sum + underflow.stored);
    const double bound =
        kLambda * (growth * norms + (u + unit_roundoff(what.stored)) * std::sqrt(squares[at])) + flushed + lost;
    for (int v = 0; v < kVectors; ++v) {
      const auto q = static_cast<std::size_t>((block * kVectors + v) * m + row);
      const double error = std::abs(w[q] - expected.z[q]);
      if (!worst.add(error, bound, norms)) continue;
      worst.describe(fmt::format("block ({}, {}) of C on rank {}: row {} is off by {:.3g}, its bound is {:.3g}{}",
                                 block_of(what, row, 0).first, block, world.rank(), row, error, bound,
                                 std::isfinite(error) ? "" : ": NaN or infinity in an operand, or an overflow"));
    }
  }
  return worst.agree(world, stream);
}

}  // namespace recombine
