#include "distributed/matmul/verify.hpp"

#include <array>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "distributed/matmul/planner.hpp"
#include "kernels/error.hpp"
#include "tests/distributed/matmul/finished_product.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

using test::FinishedProduct;

constexpr MatmulShape kShape{37, 29, 23, DataType::f32};  // each of 8 ranks has a block, and all blocks differ

class VerifyTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::host);

  Verdict by_vectors(const FinishedProduct& product) {
    return verify_by_vectors(*world_, *stream_, product.verification());
  }
  Verdict by_loops(const FinishedProduct& product) {
    return verify_by_loops(*world_, *stream_, product.verification());
  }

  template <class Visit>
  void for_each_mesh(const Visit& visit) {
    for (const Mesh& mesh : meshes_of(world_->size())) {
      SCOPED_TRACE(mesh.to_string());
      RankContext context(mesh, *world_, *device_, test::collectives());
      visit(context);
    }
  }

  static void expect_accepted(const Verdict& verdict) {
    EXPECT_EQ(verdict.failure.value_or(""), "");
    EXPECT_LE(verdict.share_of_bound, 1);
    EXPECT_GE(verdict.relative_error, 0);
    EXPECT_LT(verdict.relative_error, 1e-2);
  }

  /// Expects the same failure on every rank. It must name the block, the rank and the row.
  void expect_found(const Verdict& verdict, const Mesh& mesh, int owner, std::int64_t row, std::int64_t col) {
    ASSERT_TRUE(verdict.failure.has_value());
    EXPECT_GT(verdict.share_of_bound, 1);
    const auto part = [](std::int64_t extent, int parts, std::int64_t at) {
      int index = 0;
      while (split_range(extent, parts, index).end <= at) ++index;
      return index;
    };
    const std::string where = fmt::format("block ({}, {}) of C on rank {}: ", part(kShape.m, mesh.extent(Axis::i), row),
                                          part(kShape.n, mesh.extent(Axis::j), col), owner);
    EXPECT_TRUE(verdict.failure->starts_with(where)) << *verdict.failure << "\nexpected: " << where;
    const bool by_row = verdict.failure->find(fmt::format("row {} ", row)) != std::string::npos;
    const bool by_element = verdict.failure->find(fmt::format("element ({}, {}) ", row, col)) != std::string::npos;
    EXPECT_TRUE(by_row || by_element) << *verdict.failure;
    EXPECT_EQ(verdict.failure->find('\n'), std::string::npos);
  }
};

TEST_F(VerifyTest, RightProductsAreAccepted) {
  static const std::vector<std::pair<double, double>> kFactors = {{1, 0}, {-0.5, 2}, {0, 1}, {3, -1}};
  for_each_mesh([&](RankContext& context) {
    for (const DataType type : {DataType::f32, DataType::f64, DataType::bf16}) {
      for (const State state : {State::replicated, State::sharded}) {
        for (const auto& [alpha, beta] : kFactors) {
          SCOPED_TRACE(fmt::format("{}, alpha {}, beta {}", name_of(type), alpha, beta));
          const FinishedProduct product(context, {kShape.m, kShape.n, kShape.k, type}, state, alpha, beta);
          expect_accepted(by_vectors(product));
          expect_accepted(by_loops(product));
        }
      }
    }
  });
}

TEST_F(VerifyTest, EmptyProductsAreAccepted) {
  for_each_mesh([&](RankContext& context) {
    for (const auto& [m, n, k] : {std::array{0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {1, 1, 1}}) {
      SCOPED_TRACE(fmt::format("[{},{}] x [{},{}]", m, k, k, n));
      const FinishedProduct product(context, {m, n, k, DataType::f32}, State::replicated, 1, 1);
      expect_accepted(by_vectors(product));
      expect_accepted(by_loops(product));
    }
  });
}

double flip_sign(double value) { return -value; }
double add_one(double value) { return value + 1; }
double lose(double /*value*/) { return std::numeric_limits<double>::quiet_NaN(); }
double blow_up(double /*value*/) { return std::numeric_limits<double>::infinity(); }
double clear(double /*value*/) { return 0; }

TEST_F(VerifyTest, OneWrongElementIsFoundAndNamed) {
  for_each_mesh([&](RankContext& context) {
    // The first element, the last, the first of the last rank's block, and one more.
    const Coord last = context.mesh().coord_of(context.mesh().size() - 1);
    const std::vector<std::pair<std::int64_t, std::int64_t>> places = {
        {0, 0},
        {kShape.m - 1, kShape.n - 1},
        {split_range(kShape.m, context.mesh().extent(Axis::i), last[Axis::i]).begin,
         split_range(kShape.n, context.mesh().extent(Axis::j), last[Axis::j]).begin},
        {kShape.m / 2, 1}};
    std::size_t turn = 0;  // the places take turns
    for (const DataType type : {DataType::f32, DataType::f64, DataType::bf16}) {
      for (const State state : {State::replicated, State::sharded}) {
        for (double (*change)(double) : {flip_sign, add_one, lose, blow_up, clear}) {
          const auto& [row, col] = places[turn++ % places.size()];
          SCOPED_TRACE(fmt::format("{}, element ({}, {})", name_of(type), row, col));
          FinishedProduct product(context, {kShape.m, kShape.n, kShape.k, type}, state, 1, 0.5);
          const int owner = product.change_element(*world_, row, col, change);
          ASSERT_LT(owner, world_->size());
          expect_found(by_vectors(product), context.mesh(), owner, row, col);
          expect_found(by_loops(product), context.mesh(), owner, row, col);
        }
      }
    }
  });
}

/// Each element of a row has its own random sign in the sum. So two equal errors in a row do not always cancel.
TEST_F(VerifyTest, TwoErrorsInARowDoNotHideEachOther) {
  for_each_mesh([&](RankContext& context) {
    int found = 0;
    const int pairs = static_cast<int>(kShape.n) - 1;
    for (int col = 0; col < pairs; ++col) {
      FinishedProduct product(context, kShape, State::replicated, 1, 0);
      product.change_element(*world_, 3, col, add_one);
      product.change_element(*world_, 3, col + 1, [](double value) { return value - 1; });
      EXPECT_TRUE(by_loops(product).failure.has_value());
      if (by_vectors(product).failure) ++found;
    }
    EXPECT_GT(found, pairs / 2);  // each pair is missed with probability 1/4
  });
}

TEST_F(VerifyTest, ABlockWithReversedRowsIsFound) {
  for_each_mesh([&](RankContext& context) {
    // The last rank gives the rows of its block in reverse order.
    const FinishedProduct product(context, kShape, State::sharded, 1, 0);
    Verification what = product.verification();
    const Pieces right = what.c;
    const bool wrong = world_->rank() == world_->size() - 1;
    what.c = [&](const Visitor& visit) {
      right([&](Range rows, Range cols, ConstMatrixView piece) {
        for (std::int64_t r = 0; r < rows.size(); ++r) {
          const std::int64_t from = wrong ? rows.size() - 1 - r : r;
          visit({rows.begin + r, rows.begin + r + 1}, cols, piece.block(from, 0, 1, piece.cols));
        }
      });
    };
    std::int64_t rows = 0;
    right([&](Range all, Range cols, ConstMatrixView) { rows = cols.size() > 0 ? all.size() : 0; });
    std::int64_t seen = wrong && rows >= 2 ? 1 : 0;
    world_->all_reduce(*stream_, vector_view(&seen, 1), Reduction::max);
    stream_->synchronize();
    for (const auto& verify : {verify_by_vectors, verify_by_loops}) {
      const Verdict verdict = verify(*world_, *stream_, what);
      ASSERT_EQ(verdict.failure.has_value(), seen == 1);
      if (seen == 0) continue;
      const std::string who = fmt::format(" on rank {}: ", world_->size() - 1);
      EXPECT_NE(verdict.failure->find(who), std::string::npos) << *verdict.failure;
    }
  });
}

/// The blocks of two ranks are exchanged, as by a wrong owner map. Both are wrong, and the lower rank is reported.
TEST_F(VerifyTest, ExchangedBlocksOfTwoRanksAreFound) {
  if (world_->size() < 2) GTEST_SKIP() << "needs two ranks";
  static constexpr MatmulShape kEven{48, 7, 23, DataType::f32};
  RankContext context(Mesh(world_->size(), 1, 1), *world_, *device_, test::collectives());
  const FinishedProduct product(context, kEven, State::replicated, 1, 0);
  Verification what = product.verification();
  const Range first = split_range(kEven.m, world_->size(), 0);
  const Range second = split_range(kEven.m, world_->size(), 1);
  const std::int64_t rows = std::min(first.size(), second.size());
  what.c = [&](const Visitor& visit) {
    const Block& block = product.block();
    const int me = world_->rank();
    const Range at = me == 0 ? second : me == 1 ? first : block.rows;
    const std::int64_t shown = me < 2 ? rows : at.size();
    visit({at.begin, at.begin + shown}, block.cols, block.view.block(0, 0, shown, block.view.cols));
  };
  for (const auto& verify : {verify_by_vectors, verify_by_loops}) {
    const Verdict verdict = verify(*world_, *stream_, what);
    ASSERT_TRUE(verdict.failure.has_value());
    EXPECT_TRUE(verdict.failure->starts_with("block (1, 0) of C on rank 0: ")) << *verdict.failure;
  }
}

/// The check uses the alpha of rank 0. So it finds the block of a rank that multiplied by another alpha, even if that
/// rank passes its own alpha to the check.
TEST_F(VerifyTest, ARankWithAnotherAlphaIsFound) {
  if (world_->size() < 2) GTEST_SKIP() << "needs two ranks";
  for (const Axis cut : {Axis::i, Axis::j}) {
    const int np = world_->size();
    RankContext context(cut == Axis::i ? Mesh(np, 1, 1) : Mesh(1, np, 1), *world_, *device_, test::collectives());
    const double alpha = world_->rank() == np - 1 ? 2 : 1;
    const FinishedProduct product(context, kShape, State::replicated, alpha, 0);
    for (const Verdict& verdict : {by_vectors(product), by_loops(product)}) {
      ASSERT_TRUE(verdict.failure.has_value());
      EXPECT_NE(verdict.failure->find(fmt::format(" on rank {}: ", np - 1)), std::string::npos) << *verdict.failure;
    }
  }
}

TEST_F(VerifyTest, AChangeBelowRoundingIsAccepted) {
  for_each_mesh([&](RankContext& context) {
    for (const DataType type : {DataType::f32, DataType::f64}) {
      const double u = type == DataType::f64 ? 0x1p-53 : 0x1p-24;
      FinishedProduct product(context, {kShape.m, kShape.n, kShape.k, type}, State::replicated, 1, 0);
      product.change_element(*world_, kShape.m - 1, 0, [&](double value) { return value * (1 + 2 * u); });
      expect_accepted(by_vectors(product));
      expect_accepted(by_loops(product));
    }
  });
}

/// Verifies a product of constant matrices: all elements of A^T [k,m] are a, of B [k,n] b, of C [m,n] c.
Verdict verify_equal(Communicator& world, Stream& stream, const MatmulShape& shape, std::array<double, 3> elements,
                     decltype(verify_by_loops)& verify) {
  const auto shown = [&world](std::int64_t rows, std::int64_t cols, double value) {
    return [&world, rows, cols,
            all = std::vector<double>(static_cast<std::size_t>(rows * cols), value)](const Visitor& visit) {
      if (world.rank() > 0) return;
      visit({0, rows}, {0, cols}, as_matrix(vector_view(all.data(), rows * cols), rows, cols));
    };
  };
  const auto [a, b, c] = elements;
  return verify(world, stream,
                {.shape = shape,
                 .a = shown(shape.k, shape.m, a),
                 .b = shown(shape.k, shape.n, b),
                 .c0 = [](const Visitor&) {},
                 .c = shown(shape.m, shape.n, c),
                 .stored = shape.type});
}

TEST_F(VerifyTest, LossesByUnderflowAreAcceptedAndNoOthers) {
  for (decltype(verify_by_loops)* verify : {&verify_by_loops, &verify_by_vectors}) {
    const auto accepted = [&](DataType type, double a, double b, double c) {
      return !verify_equal(*world_, *stream_, {4, 4, 3, type}, {a, b, c}, *verify).failure;
    };
    EXPECT_TRUE(accepted(DataType::bf16, 0x1p-130, 8, 0));  // a subnormal operand counts as 0
    EXPECT_TRUE(accepted(DataType::bf16, 8, 0x1p-130, 0));
    EXPECT_TRUE(accepted(DataType::bf16, 0x1p-70, 0x1p-60, 0));  // a subnormal sum too
    EXPECT_FALSE(accepted(DataType::bf16, 0x1p-120, 8, 0));      // normal operands and sums are not lost
    EXPECT_FALSE(accepted(DataType::bf16, 0x1p-60, 0x1p-50, 0));
    EXPECT_FALSE(accepted(DataType::f32, 0x1p-130, 8, 0));  // f32 does not flush ...
    // ... but it rounds to multiples of 2^-149: each of the three products from 0.75 * 2^-149 to 2^-149.
    EXPECT_TRUE(accepted(DataType::f32, 0x1p-75, 0x1.8p-75, 0x3p-149));
    EXPECT_FALSE(accepted(DataType::f32, 0x1p-75, 0x1.8p-75, 0x6p-149));
  }
}

TEST(SmallEnoughForLoops, LimitsElementsAndProducts) {
  EXPECT_TRUE(small_enough_for_loops({0, 0, 0, DataType::f32}));
  EXPECT_TRUE(small_enough_for_loops({256, 256, 256, DataType::f32}));
  EXPECT_FALSE(small_enough_for_loops({1024, 1024, 1024, DataType::f32}));             // too many products
  EXPECT_FALSE(small_enough_for_loops({std::int64_t{1} << 23, 1, 1, DataType::f32}));  // too many elements
  EXPECT_FALSE(small_enough_for_loops({std::int64_t{1} << 40, std::int64_t{1} << 40, 1, DataType::f32}));
}

}  // namespace
}  // namespace recombine
