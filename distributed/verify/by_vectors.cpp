#include <algorithm>
#include <cmath>

#include "distributed/verify/finding.hpp"
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

/// The vectors, and sums over a block's columns: where block j's begin and end.
class Vectors {
 public:
  Vectors(std::int64_t n, int blocks) : n_(n), blocks_(blocks) {
    for (int v = 0; v < kVectors; ++v) {
      for (std::int64_t c = 0; c < n; ++c) signs_.push_back(random_sign(c, v));
    }
  }
  int columns() const { return blocks_ * kVectors; }  ///< of Y, Z and W

  /// add(q, sum over the block's columns of values * x) for each block that the columns from `first` touch.
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
        double squares = 0;
        if (v == 0) {
          for (std::int64_t c = 0; c < to - from; ++c) squares += at[c] * at[c];
        }
        add(j, v, sum, squares);
      }
    }
  }

 private:
  std::int64_t n_;
  int blocks_;
  Doubles signs_;
};

/// What C x should be, and the norms for the bound. Columns q = block * kVectors + vector; z is [q][m].
struct Expected {
  Doubles z;
  Doubles row_squares;    ///< of A, per row
  Doubles block_squares;  ///< of B, per block of columns
};

Expected expected_products(Communicator& world, Stream& stream, const Verification& what, const Vectors& vectors) {
  const std::int64_t m = what.shape.m;
  const std::int64_t columns = vectors.columns();
  const int blocks = what.mesh.extent(Axis::j);
  Doubles y(static_cast<std::size_t>(what.shape.k * columns));
  Expected expected{.z = Doubles(static_cast<std::size_t>(m * columns)),
                    .row_squares = Doubles(static_cast<std::size_t>(m)),
                    .block_squares = Doubles(static_cast<std::size_t>(blocks))};
  for_each_row(what.b, [&](std::int64_t k, std::int64_t first, const Doubles& values) {
    vectors.multiply(first, values, [&](int block, int v, double sum, double squares) {
      y[static_cast<std::size_t>(k * columns + block * kVectors + v)] += sum;
      expected.block_squares[static_cast<std::size_t>(block)] += squares;
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
    double* const squares = expected.row_squares.data() + first;
    for (std::int64_t r = 0; r < size; ++r) {
      squares[r] += values[static_cast<std::size_t>(r)] * values[static_cast<std::size_t>(r)];
    }
  });
  if (what.beta != 0) {
    for_each_row(what.c0, [&](std::int64_t row, std::int64_t first, const Doubles& values) {
      vectors.multiply(first, values, [&](int block, int v, double sum, double /*squares*/) {
        expected.z[static_cast<std::size_t>((block * kVectors + v) * m + row)] += what.beta * sum;
      });
    });
  }
  sum_over_ranks(world, stream, expected.z);
  sum_over_ranks(world, stream, expected.row_squares);
  sum_over_ranks(world, stream, expected.block_squares);
  return expected;
}

}  // namespace

Verdict verify_by_vectors(Communicator& world, Stream& stream, const Verification& own) {
  const Verification what = with_common_factors(world, stream, own);
  const std::int64_t m = what.shape.m;
  const Vectors vectors(what.shape.n, what.mesh.extent(Axis::j));
  const Expected expected = expected_products(world, stream, what, vectors);

  // C x of what this rank has, and |C_r|^2; a row of a block that it has not stays unseen.
  Doubles w(expected.z.size());
  Doubles squares(static_cast<std::size_t>(m * what.mesh.extent(Axis::j)));
  std::vector<bool> seen(squares.size());
  for_each_row(what.c, [&](std::int64_t row, std::int64_t first, const Doubles& values) {
    vectors.multiply(first, values, [&](int block, int v, double sum, double square) {
      w[static_cast<std::size_t>((block * kVectors + v) * m + row)] += sum;
      squares[static_cast<std::size_t>(block * m + row)] += square;
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
    const double norms = std::abs(what.alpha) * std::sqrt(expected.row_squares[static_cast<std::size_t>(row)] *
                                                          expected.block_squares[static_cast<std::size_t>(block)]);
    const double bound = kLambda * (growth * norms + (u + unit_roundoff(what.stored)) * std::sqrt(squares[at]));
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
