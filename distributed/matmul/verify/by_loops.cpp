#include <algorithm>
#include <array>
#include <cmath>

#include "distributed/matmul/verify/finding.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr double kLoopElements = 1 << 22;  // of each matrix
constexpr double kLoopProducts = 1 << 26;

}  // namespace

bool small_enough_for_loops(const MatmulShape& shape) {
  const auto [m, n, k] =
      std::array{static_cast<double>(shape.m), static_cast<double>(shape.n), static_cast<double>(shape.k)};
  return std::max({m * n, m * k, k * n}) <= kLoopElements && m * n * k <= kLoopProducts;
}

Verdict verify_by_loops(Communicator& world, Stream& stream, const Verification& own) {
  const Verification what = with_common_factors(world, stream, own);
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
  const Underflow underflow = underflow_of(what.shape.type, what.stored);
  const auto flushed = [&](double x) { return std::abs(x) < underflow.operand; };
  Finding worst;
  for_each_row(what.c, [&](std::int64_t row, std::int64_t first, const Doubles& values) {
    for (std::size_t c = 0; c < values.size(); ++c) {
      const std::int64_t col = first + static_cast<std::int64_t>(c);
      double sum = 0;
      double size = 0;
      double lost = (static_cast<double>(k) + 2) * underflow.sum;
      for (std::int64_t l = 0; l < k; ++l) {
        const double x = a[static_cast<std::size_t>(l * m + row)];
        const double y = b[static_cast<std::size_t>(l * n + col)];
        const double term = x * y;
        sum += term;
        size += std::abs(term);
        if (flushed(x) || flushed(y)) lost += std::abs(term);
      }
      const double old = what.beta != 0 ? what.beta * c0[static_cast<std::size_t>(row * n + col)] : 0;
      const double right = what.alpha * sum + old;
      const double magnitude = std::abs(what.alpha) * size + std::abs(old);
      const double bound = (static_cast<double>(k) + 2) * u * magnitude + unit_roundoff(what.stored) * std::abs(right) +
                           std::max(1.0, std::abs(what.alpha)) * lost + underflow.stored;
      if (!worst.add(std::abs(values[c] - right), bound, magnitude)) continue;
      const auto [i, j] = block_of(what, row, col);
      worst.describe(
          fmt::format("block ({}, {}) of C on rank {}: element ({}, {}) is {:.9g}, a plain loop gives {:.9g}", i, j,
                      world.rank(), row, col, values[c], right));
    }
  });
  return worst.agree(world, stream);
}

}  // namespace recombine
