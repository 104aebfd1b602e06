#include "distributed/verify.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/error.hpp"
#include "kernels/random.hpp"

namespace recombine {

namespace {

constexpr int kVectors = 2;
constexpr double kLambda = 8;
constexpr std::uint64_t kSeed = 0x7665726966790000;
constexpr double kLoopElements = 1 << 22;   // of each matrix
constexpr double kLoopProducts = 1 << 26;

using Doubles = std::vector<double>;

double unit_roundoff(DataType type) {
  switch (type) {
    case DataType::f64: return 0x1p-53;
    case DataType::bf16: return 0x1p-8;
    default: return 0x1p-24;
  }
}

/// Element i of a row of any type, as double.
class Row {
 public:
  Row(ConstMatrixView m, std::int64_t row) : type_(m.type), at_(m.data + row * m.ld * size_of(m.type)) {}
  void read(Doubles& to, std::int64_t size) const {
    to.resize(static_cast<std::size_t>(size));
    switch (type_) {
      case DataType::f64: return copy<double>(to);
      case DataType::f32: return copy<float>(to);
      case DataType::bf16:
        for (std::size_t i = 0; i < to.size(); ++i) {
          std::uint32_t bits = 0;
          std::memcpy(reinterpret_cast<std::byte*>(&bits) + 2, at_ + 2 * i, 2);
          float value = 0;
          std::memcpy(&value, &bits, 4);
          to[i] = static_cast<double>(value);
        }
        return;
      default: throw Error(fmt::format("cannot verify a product of {}", name_of(type_)));
    }
  }

 private:
  template <class T>
  void copy(Doubles& to) const {
    const auto* const from = reinterpret_cast<const T*>(at_);
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<double>(from[i]);
  }
  DataType type_;
  const std::byte* at_;
};

/// Calls work(row, first column, values) for each row of each piece.
template <class Work>
void for_each_row(const Pieces& pieces, const Work& work) {
  Doubles values;
  pieces([&](Range rows, Range cols, ConstMatrixView piece) {
    for (std::int64_t r = 0; r < rows.size(); ++r) {
      Row(piece, r).read(values, cols.size());
      work(rows.begin + r, cols.begin, values);
    }
  });
}

double random_sign(std::int64_t col, int vector) {
  const auto words = random_words(kSeed, static_cast<std::uint64_t>(vector), static_cast<std::uint64_t>(col) / 4);
  return (words[static_cast<std::size_t>(col % 4)] & 1U) != 0 ? 1.0 : -1.0;
}

void sum_over_ranks(Communicator& world, Stream& stream, Doubles& values) {
  world.all_reduce(stream, vector_view(values.data(), static_cast<std::int64_t>(values.size())), Reduction::sum);
  stream.synchronize();
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

/// The worst that a rank found.
struct Finding {
  double relative_error = 0;
  double excess = 0;  ///< error / bound
  std::string text;
};

/// The largest error of all ranks, and the words of the lowest rank that is beyond its bound.
Verdict agree_on(Communicator& world, Stream& stream, const Finding& mine, double bound) {
  Doubles largest = {mine.relative_error, bound};
  world.all_reduce(stream, vector_view(largest.data(), 2), Reduction::max);
  std::int64_t speaker = mine.excess > 1 || std::isnan(mine.excess) ? world.size() - world.rank() : 0;
  world.all_reduce(stream, vector_view(&speaker, 1), Reduction::max);
  stream.synchronize();
  Verdict verdict{.relative_error = largest[0], .bound = largest[1]};
  if (speaker == 0) return verdict;
  const int root = world.size() - static_cast<int>(speaker);
  auto length = static_cast<std::int64_t>(mine.text.size());
  world.broadcast(stream, vector_view(&length, 1), root);
  stream.synchronize();
  std::vector<std::uint8_t> text(static_cast<std::size_t>(length));
  if (world.rank() == root) std::memcpy(text.data(), mine.text.data(), text.size());
  world.broadcast(stream, vector_view(text.data(), length), root);
  stream.synchronize();
  verdict.failure = std::string(text.begin(), text.end());
  return verdict;
}

std::pair<int, int> block_of(const Verification& what, std::int64_t row, std::int64_t col) {
  const auto part = [](std::int64_t extent, int parts, std::int64_t at) {
    int index = 0;
    while (split_range(extent, parts, index).end <= at) ++index;
    return index;
  };
  return {part(what.shape.m, what.mesh.extent(Axis::i), row), part(what.shape.n, what.mesh.extent(Axis::j), col)};
}

}  // namespace

Verdict verify_by_vectors(Communicator& world, Stream& stream, const Verification& what) {
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
  double bound_there = 0;
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
      const double excess = error == 0 ? 0 : error / bound;
      if (norms > 0) worst.relative_error = std::max(worst.relative_error, error / norms);
      if (excess <= worst.excess) continue;  // false where it is no number
      worst.excess = std::isnan(excess) ? INFINITY : excess;
      bound_there = norms > 0 ? bound / norms : 0;
      worst.text = fmt::format("block ({}, {}) of C on rank {}: row {} is off by {:.3g}, its bound is {:.3g}",
                               block_of(what, row, 0).first, block, world.rank(), row, error, bound);
    }
  }
  return agree_on(world, stream, worst, bound_there);
}

bool small_enough_for_loops(const MatmulShape& shape) {
  const auto [m, n, k] = std::array{static_cast<double>(shape.m), static_cast<double>(shape.n), static_cast<double>(shape.k)};
  return std::max({m * n, m * k, k * n}) <= kLoopElements && m * n * k <= kLoopProducts;
}

Verdict verify_by_loops(Communicator& world, Stream& stream, const Verification& what) {
  const auto [m, n, k] = std::array{what.shape.m, what.shape.n, what.shape.k};
  const auto collect = [&](const Pieces& pieces, std::int64_t rows, std::int64_t cols) {
    Doubles all(static_cast<std::size_t>(rows * cols));
    for_each_row(pieces, [&](std::int64_t row, std::int64_t first, const Doubles& values) {
      std::ranges::copy(values, all.begin() + static_cast<std::ptrdiff_t>(row * cols + first));
    });
    sum_over_ranks(world, stream, all);
    return all;
  };
  const Doubles a = collect(what.a, k, m);
  const Doubles b = collect(what.b, k, n);
  const Doubles c0 = what.beta != 0 ? collect(what.c0, m, n) : Doubles();
  const double u = unit_roundoff(what.shape.result_type());
  Finding worst;
  double bound_there = 0;
  for_each_row(what.c, [&](std::int64_t row, std::int64_t first, const Doubles& values) {
    for (std::size_t c = 0; c < values.size(); ++c) {
      const std::int64_t col = first + static_cast<std::int64_t>(c);
      double sum = 0;
      double size = 0;
      for (std::int64_t l = 0; l < k; ++l) {
        const double term = a[static_cast<std::size_t>(l * m + row)] * b[static_cast<std::size_t>(l * n + col)];
        sum += term;
        size += std::abs(term);
      }
      const double old = what.beta != 0 ? what.beta * c0[static_cast<std::size_t>(row * n + col)] : 0;
      const double right = what.alpha * sum + old;
      const double magnitude = std::abs(what.alpha) * size + std::abs(old);
      const double bound = (static_cast<double>(k) + 2) * u * magnitude + unit_roundoff(what.stored) * std::abs(right);
      const double error = std::abs(values[c] - right);
      const double excess = error == 0 ? 0 : error / bound;
      if (magnitude > 0) worst.relative_error = std::max(worst.relative_error, error / magnitude);
      if (excess <= worst.excess) continue;
      worst.excess = std::isnan(excess) ? INFINITY : excess;
      bound_there = magnitude > 0 ? bound / magnitude : 0;
      const auto [i, j] = block_of(what, row, col);
      worst.text = fmt::format("block ({}, {}) of C on rank {}: element ({}, {}) is {:.9g}, a plain loop gives {:.9g}", i,
                               j, world.rank(), row, col, values[c], right);
    }
  });
  return agree_on(world, stream, worst, bound_there);
}

}  // namespace recombine
