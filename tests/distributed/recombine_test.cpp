#include "distributed/recombine.hpp"

#include <string>

#include <gtest/gtest.h>

#include "distributed/session.hpp"
#include "kernels/error.hpp"
#include "tests/support/held_matrix.hpp"
#include "tests/support/placements.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

using test::HeldMatrix;

const std::vector<DistMatrix::Shape> kShapes = {{7, 5}, {1, 9}, {2, 3}, {0, 4}, {16, 4}};

/// The term of the rank with coordinate `coord` along an axis. Terms and their sums are exact in f32.
double term(int coord, std::int64_t i, std::int64_t j) { return static_cast<double>((i * 31 + j) * (coord + 1)); }
double sum_of_terms(int ranks, std::int64_t i, std::int64_t j) { return term(0, i, j) * ranks * (ranks + 1) / 2; }

class RecombineTest : public ::testing::Test {
 protected:
  /// Calls check(context, axis, placement) for each mesh, each of its axes, and placements that do not cut that axis.
  template <class Check>
  void on_every_axis(const Check& check) const {
    for (const Mesh& mesh : test::all_meshes(host_->size())) {
      RankContext context(mesh, *host_, *device_);
      for (const Axis axis : kAxes) {
        for (const Placement& placement : {Placement{}, Placement{.rows = next(axis), .cols = next(next(axis))},
                                           Placement{.cols = next(axis), .rows_then = next(next(axis))}}) {
          SCOPED_TRACE(fmt::format("mesh {}, {} along {}", mesh.to_string(), placement.to_string(), name_of(axis)));
          check(context, axis, placement);
        }
      }
    }
  }
  static Axis next(Axis axis) { return kAxes[(static_cast<std::size_t>(axis) + 1) % 3]; }
  /// A matrix in state `state` along `axis`. It holds this rank's terms.
  static HeldMatrix make(RankContext& context, Axis axis, DistMatrix::Shape shape, Placement placement, State state) {
    placement[axis] = state;
    HeldMatrix matrix(context, shape, placement);
    matrix.fill([&](std::int64_t i, std::int64_t j) { return term(context.coord()[axis], i, j); });
    return matrix;
  }
  static auto shard(const RankContext& context, Axis axis) {
    return [&context, axis](const Block& block) {
      return row_shard_of(block, context.mesh().extent(axis), context.coord()[axis]);
    };
  }

  std::unique_ptr<Device> device_ = make_device({.progress = test::session().progress()});
  std::unique_ptr<Communicator> host_ = make_world(test::session());
};

TEST_F(RecombineTest, PartialToReplicatedSumsTheTerms) {
  on_every_axis([&](RankContext& context, Axis axis, const Placement& placement) {
    for (const auto shape : kShapes) {
      HeldMatrix matrix = make(context, axis, shape, placement, State::partial);
      recombine(context, matrix, axis, State::replicated);
      EXPECT_EQ(matrix.placement()[axis], State::replicated);
      EXPECT_EQ(matrix.differing([&](auto i, auto j) { return sum_of_terms(context.mesh().extent(axis), i, j); }), 0);
    }
  });
}

TEST_F(RecombineTest, PartialToShardedSumsTheRanksOwnRowsAndShardedToReplicatedGathersThem) {
  on_every_axis([&](RankContext& context, Axis axis, const Placement& placement) {
    const auto sums = [&](auto i, auto j) { return sum_of_terms(context.mesh().extent(axis), i, j); };
    for (const auto shape : kShapes) {
      HeldMatrix matrix = make(context, axis, shape, placement, State::partial);
      recombine(context, matrix, axis, State::sharded);
      EXPECT_EQ(matrix.placement()[axis], State::sharded);
      EXPECT_EQ(matrix.differing(sums, shard(context, axis)), 0);
      recombine(context, matrix, axis, State::replicated);
      EXPECT_EQ(matrix.placement()[axis], State::replicated);
      EXPECT_EQ(matrix.differing(sums), 0);
    }
  });
}

TEST_F(RecombineTest, ReplicatedToShardedMovesNothing) {
  on_every_axis([&](RankContext& context, Axis axis, const Placement& placement) {
    const auto own = [&](auto i, auto j) { return term(context.coord()[axis], i, j); };
    HeldMatrix matrix = make(context, axis, {7, 5}, placement, State::replicated);
    recombine(context, matrix, axis, State::sharded);
    EXPECT_EQ(matrix.placement()[axis], State::sharded);
    EXPECT_EQ(matrix.differing(own), 0);
  });
}

TEST_F(RecombineTest, KeepingTheStateMovesNothing) {
  on_every_axis([&](RankContext& context, Axis axis, const Placement& placement) {
    for (const State state : {State::replicated, State::sharded, State::partial}) {
      HeldMatrix matrix = make(context, axis, {7, 5}, placement, state);
      recombine(context, matrix, axis, state);
      EXPECT_EQ(matrix.placement()[axis], state);
      EXPECT_EQ(matrix.differing([&](auto i, auto j) { return term(context.coord()[axis], i, j); }), 0);
    }
  });
}

TEST_F(RecombineTest, AnAxisThatCutsTheMatrixIsRefused) {
  RankContext context({host_->size(), 1, 1}, *host_, *device_);
  HeldMatrix cut(context, {6, 6}, {.rows = Axis::i});
  EXPECT_THROW(recombine(context, cut, Axis::i, State::replicated), Error);
  HeldMatrix rest(context, {6, 6}, {.rows = Axis::k, .rows_then = Axis::i});
  EXPECT_THROW(recombine(context, rest, Axis::i, State::replicated), Error);
}

TEST_F(RecombineTest, TransitionsWithoutACollectiveAreRefused) {
  if (host_->size() == 1) GTEST_SKIP() << "needs two ranks: along an axis of one rank nothing moves";
  RankContext context({host_->size(), 1, 1}, *host_, *device_);
  for (const State state : {State::replicated, State::sharded}) {
    HeldMatrix matrix = make(context, Axis::i, {6, 6}, {}, state);
    EXPECT_THROW(recombine(context, matrix, Axis::i, State::partial), Error);
  }
}

TEST_F(RecombineTest, TwoAxesAreRecombinedOneAfterTheOther) {
  for (const Mesh& mesh : test::all_meshes(host_->size())) {
    RankContext context(mesh, *host_, *device_);
    Placement placement = {.rows = Axis::i};
    placement[Axis::j] = placement[Axis::k] = State::partial;
    HeldMatrix matrix(context, {9, 4}, placement);
    matrix.fill([&](auto i, auto j) { return term(context.coord()[Axis::j], i, j) * (context.coord()[Axis::k] + 1); });
    recombine(context, matrix, Axis::k, State::replicated);
    EXPECT_EQ(matrix.placement()[Axis::j], State::partial);
    recombine(context, matrix, Axis::j, State::replicated);
    const int depth = mesh.extent(Axis::k);
    EXPECT_EQ(matrix.differing(
                  [&](auto i, auto j) { return sum_of_terms(mesh.extent(Axis::j), i, j) * depth * (depth + 1) / 2; }),
              0)
        << mesh.to_string();
  }
}

TEST_F(RecombineTest, GatherAtRestUndoesTheSecondCut) {
  const auto elements = [](auto i, auto j) { return term(0, i, j); };
  for (const Mesh& mesh : test::all_meshes(host_->size())) {
    RankContext context(mesh, *host_, *device_);
    for (const auto shape : kShapes) {
      HeldMatrix rest(context, shape, {.rows = Axis::k, .cols = Axis::j, .rows_then = Axis::i});
      HeldMatrix whole(context, shape, {.rows = Axis::k, .cols = Axis::j});
      rest.fill(elements);
      whole.fill([](auto, auto) { return -1; });
      whole.set_state(Axis::i, State::sharded);
      gather_at_rest(context, rest, whole);
      EXPECT_EQ(whole.placement()[Axis::i], State::replicated);
      EXPECT_EQ(whole.differing(elements), 0) << mesh.to_string();
    }
  }
}

TEST_F(RecombineTest, GatherAtRestRefusesOtherPlacements) {
  RankContext context({host_->size(), 1, 1}, *host_, *device_);
  const HeldMatrix rest(context, {6, 6}, {.rows = Axis::k, .rows_then = Axis::i});
  const auto refused = [&](const HeldMatrix& from, HeldMatrix to) {
    EXPECT_THROW(gather_at_rest(context, from, to), Error)
        << from.placement().to_string() << " into " << to.placement().to_string();
  };
  refused(rest, HeldMatrix(context, {6, 6}, {}));
  refused(rest, HeldMatrix(context, {6, 6}, {.rows = Axis::k, .cols = Axis::j}));
  refused(rest, HeldMatrix(context, {6, 6}, {.rows = Axis::k, .rows_then = Axis::i}));
  refused(rest, HeldMatrix(context, {6, 7}, {.rows = Axis::k}));
  refused(HeldMatrix(context, {6, 6}, {.rows = Axis::k}), HeldMatrix(context, {6, 6}, {.rows = Axis::k}));
}

}  // namespace
}  // namespace recombine
