#include <algorithm>
#include <iostream>

#include <gtest/gtest.h>

#include "distributed/matmul/planner.hpp"
#include "distributed/owned_matrix.hpp"
#include "kernels/error.hpp"
#include "tests/distributed/matmul/product_case.hpp"
#include "tests/support/pairwise.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

using test::ProductCase;
using test::ProductRunner;

constexpr std::array kTypes = {DataType::f32, DataType::f64, DataType::bf16};

/// Difficult m, n, k: zero, fewer than ranks, primes, and sizes near those of vectors and tiles.
constexpr std::array<std::array<std::int64_t, 3>, 12> kShapes = {{{0, 7, 3},
                                                                  {7, 0, 3},
                                                                  {3, 2, 0},
                                                                  {1, 1, 1},
                                                                  {2, 3, 1},
                                                                  {1, 65, 2},
                                                                  {65, 1, 7},
                                                                  {7, 3, 64},
                                                                  {3, 7, 257},
                                                                  {64, 65, 2},
                                                                  {65, 64, 65},
                                                                  {257, 7, 65}}};

class MatmulTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());

  /// Runs `visit(runner, case)` for every mesh of the ranks and every schedule that fits it.
  template <class Visit>
  void for_each_way(const Visit& visit) {
    for (const Mesh& mesh : meshes_of(world_->size())) {
      ProductRunner runner(mesh, *world_, *device_);
      for (const ScheduleEntry& row : schedules()) {
        if (row.fits(mesh)) visit(runner, ProductCase{.mesh = mesh, .schedule = row.schedule});
      }
    }
  }
};

/// Every factorisation x schedule x type x recombination x shape.
TEST_F(MatmulTest, EveryScheduleOnEveryMeshAgreesWithAPlainLoop) {
  int cases = 0;
  for_each_way([&](ProductRunner& runner, ProductCase what) {
    for (const DataType type : kTypes) {
      for (const State result : {State::replicated, State::sharded}) {
        for (const auto& [m, n, k] : kShapes) {
          what.shape = {m, n, k, type};
          what.c_state = result;
          what.panel = 32;
          EXPECT_EQ(runner.failure_of(what), "");
          ++cases;
        }
      }
    }
  });
  RecordProperty("cases", cases);
  EXPECT_GT(cases, 0);
}

/// Every shape with every combination of the above. It takes long, so it runs by hand only:
///     mpirun -np 4 ./matmul_test --gtest_also_run_disabled_tests --gtest_filter='*EveryShapeEveryWay'
TEST_F(MatmulTest, DISABLED_EveryShapeEveryWay) {
  static constexpr std::array<std::int64_t, 8> kExtents = {0, 1, 2, 3, 7, 64, 65, 257};
  std::int64_t cases = 0;
  for_each_way([&](ProductRunner& runner, ProductCase what) {
    for (const std::int64_t m : kExtents) {
      for (const std::int64_t n : kExtents) {
        for (const std::int64_t k : kExtents) {
          for (const DataType type : kTypes) {
            for (const State result : {State::replicated, State::sharded}) {
              what.shape = {m, n, k, type};
              what.c_state = result;
              what.panel = 32;
              ASSERT_EQ(runner.failure_of(what), "");
              ++cases;
            }
          }
        }
      }
    }
  });
  if (world_->rank() == 0) std::cout << cases << " cases on " << world_->size() << " ranks\n";
}

/// Other shapes, factors and panels: every pair of values of every two of these dimensions occurs.
TEST_F(MatmulTest, ShapesFactorsAndPanelsInPairsAgreeWithAPlainLoop) {
  static const std::vector<std::int64_t> kExtents = {0, 1, 2, 3, 7, 64, 65, 257};
  static const std::vector<std::pair<double, double>> kFactors = {{1, 0}, {1, 1}, {-0.5, 0}, {2, -1.5}, {0, 1}, {0, 0}};
  static const std::vector<std::int64_t> kPanels = {0, 1, 5, 64};
  const std::vector<Mesh> meshes = meshes_of(world_->size());
  std::vector<std::unique_ptr<ProductRunner>> runners;
  for (const Mesh& mesh : meshes) runners.push_back(std::make_unique<ProductRunner>(mesh, *world_, *device_));
  const auto table = test::pairwise_table({kExtents.size(), kExtents.size(), kExtents.size(), kFactors.size(),
                                           kPanels.size(), meshes.size(), schedules().size(), kTypes.size(), 2});
  int cases = 0;
  for (const auto& row : table) {
    const ScheduleEntry& schedule = schedules()[row[6]];
    const bool fits = schedule.fits(meshes[row[5]]);
    const ProductCase what{.mesh = meshes[row[5]],
                           .schedule = fits ? schedule.schedule : Schedule::panels,
                           .c_state = row[8] == 0 ? State::replicated : State::sharded,
                           .shape = {kExtents[row[0]], kExtents[row[1]], kExtents[row[2]], kTypes[row[7]]},
                           .alpha = kFactors[row[3]].first,
                           .beta = kFactors[row[3]].second,
                           .panel = kPanels[row[4]]};
    EXPECT_EQ(runners[row[5]]->failure_of(what), "");
    ++cases;
  }
  EXPECT_GE(cases, 64);  // two dimensions of eight values
}

TEST(PairwiseTable, HasEveryPair) {
  const std::vector<std::size_t> sizes = {3, 2, 4, 2};
  const auto table = test::pairwise_table(sizes);
  EXPECT_LT(table.size(), 3U * 2 * 4 * 2);
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    for (std::size_t e = d + 1; e < sizes.size(); ++e) {
      for (std::size_t v = 0; v < sizes[d]; ++v) {
        for (std::size_t w = 0; w < sizes[e]; ++w) {
          EXPECT_TRUE(std::ranges::any_of(table, [&](const auto& row) { return row[d] == v && row[e] == w; }));
        }
      }
    }
  }
}

TEST_F(MatmulTest, WrongPlacementsAndMeshesAreRefused) {
  RankContext context(Mesh(1, 1, world_->size()), *world_, *device_, test::collectives());
  const OwnedMatrix a(context, {4, 3}, kPlaceA);
  const OwnedMatrix b(context, {4, 5}, kPlaceB);
  OwnedMatrix c(context, {3, 5}, kPlaceC);
  OwnedMatrix wrong(context, {5, 3}, kPlaceC);
  Workspace panels;
  EXPECT_THROW(multiply_gather(context, {.a = a, .b = b, .c = wrong, .workspace = panels}), Error);
  EXPECT_THROW(multiply_gather(context, {.a = c, .b = b, .c = c, .workspace = panels}), Error);
}

}  // namespace
}  // namespace recombine
