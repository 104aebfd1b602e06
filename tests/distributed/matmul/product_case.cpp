#include "tests/distributed/matmul/product_case.hpp"

#include <cmath>

#include <fmt/format.h>

#include "distributed/owned_matrix.hpp"
#include "distributed/recombine.hpp"
#include "tests/support/test_device.hpp"

namespace recombine::test {

namespace {

constexpr std::uint64_t kSeed = 11;

double element(ConstMatrixView m, std::int64_t row, std::int64_t col) {
  const std::int64_t at = row * m.ld + col;
  return m.type == DataType::f64 ? m.as<double>()[at] : static_cast<double>(m.as<float>()[at]);
}

/// The rows of C that must be correct on this rank.
Range valid_rows(const RankContext& context, const Block& block, State result) {
  const Range shard = result == State::sharded
                          ? row_shard_of(block, context.mesh().extent(Axis::k), context.coord()[Axis::k])
                          : Range{0, block.rows.size()};
  return {block.rows.begin + shard.begin, block.rows.begin + shard.end};
}

/// A, B and C0 of a shape. Consecutive cases of the same shape and type share them.
struct PlainOperands {
  explicit PlainOperands(const MatmulShape& s)
      : shape(s),
        a(plain_matrix({kSeed, kTensorA, s.k}, s.m, s.type)),
        b(plain_matrix({kSeed, kTensorB, s.n}, s.k, s.type)),
        c0(plain_matrix({kSeed, kTensorC, s.n}, s.m, s.result_type())) {}
  MatmulShape shape;
  std::vector<double> a, b, c0;
};

std::string compare(const RankContext& context, const ProductCase& what, const DistMatrix& c,
                    const PlainOperands& plain) {
  const auto [m, n, k] = std::array{what.shape.m, what.shape.n, what.shape.k};
  const double u = what.shape.type == DataType::f64 ? 0x1p-53 : 0x1p-24;
  for (const Block& block : c.blocks()) {
    const Range rows = valid_rows(context, block, what.c_state);
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      for (std::int64_t j = block.cols.begin; j < block.cols.end; ++j) {
        double sum = 0;
        double size = 0;
        for (std::int64_t l = 0; l < k; ++l) {
          const double term =
              plain.a[static_cast<std::size_t>(i * k + l)] * plain.b[static_cast<std::size_t>(l * n + j)];
          sum += term;
          size += std::abs(term);
        }
        const double old = what.beta * plain.c0[static_cast<std::size_t>(i * n + j)];
        const double right = what.alpha * sum + old;
        const double bound = (static_cast<double>(k) + 4) * u * (std::abs(what.alpha) * size + std::abs(old));
        const double found = element(block.view, i - block.rows.begin, j - block.cols.begin);
        if (std::abs(found - right) <= bound) continue;  // false if the error is NaN
        return fmt::format("{}: C({}, {}) of [{},{}] is {}, a plain loop gives {}, bound {}", what.to_string(), i, j, m,
                           n, found, right, bound);
      }
    }
  }
  return "";
}

}  // namespace

std::string ProductCase::to_string() const {
  return fmt::format("{} {} {}, [{},{}] x [{},{}] {}, alpha {}, beta {}, panel {}", mesh.to_string(),
                     entry_of(schedule).name, c_state == State::sharded ? "reduce-scatter" : "all-reduce", shape.m,
                     shape.k, shape.k, shape.n, name_of(shape.type), alpha, beta, panel);
}

std::vector<double> plain_matrix(const Generated& matrix, std::int64_t rows, DataType type) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(rows * matrix.cols));
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < matrix.cols; ++c) values.push_back(matrix.at(r, c, type));
  }
  return values;
}

ProductRunner::ProductRunner(const Mesh& mesh, Communicator& world, Device& device)
    : context_(mesh, world, device, collectives()) {}

std::string ProductRunner::failure_of(const ProductCase& what) {
  const MatmulShape& s = what.shape;
  OwnedMatrix a(context_, {s.k, s.m}, kPlaceA, s.type);
  OwnedMatrix b(context_, {s.k, s.n}, kPlaceB, s.type);
  OwnedMatrix c(context_, {s.m, s.n}, kPlaceC, s.result_type());
  generate(context_, {kSeed, kTensorA, s.k}, Transpose::yes, a);
  generate(context_, {kSeed, kTensorB, s.n}, Transpose::no, b);
  generate(context_, {kSeed, kTensorC, s.n}, Transpose::no, c);
  context_.compute().synchronize();
  if (what.beta == 0 || context_.coord()[Axis::k] != 0) {  // C must not be read, so it may hold NaN
    for (const Block& block : c.blocks()) {
      const VectorView all = as_vector(block.view);
      for (std::int64_t e = 0; e < all.size; ++e) {
        all.type == DataType::f64 ? all.as<double>()[e] = NAN : all.as<float>()[e] = NAN;
      }
    }
  }
  entry_of(what.schedule)
      .run(context_, {.a = a,
                      .b = b,
                      .c = c,
                      .alpha = what.alpha,
                      .beta = what.beta,
                      .panel = what.panel,
                      .workspace = workspace_});
  recombine(context_, c, Axis::k, what.c_state);
  context_.compute().synchronize();
  return compare(context_, what, c, PlainOperands(s));
}

}  // namespace recombine::test
