#include "src/nn/replica_differences.hpp"

#include <gtest/gtest.h>

namespace recombine {
namespace {

const ModelShape kShape{.inputs = 64, .hidden = {64}, .outputs = 64};

/// What the ranks of `mesh` hold if all copies are equal: the sums depend on the tensor only.
RanksSums equal_sums(const Mesh& mesh, std::size_t tensors) {
  RanksSums ranks;
  for (int rank = 0; rank < mesh.size(); ++rank) {
    ranks.places.push_back("rank " + std::to_string(rank) + " on h");
    ranks.sums.emplace_back();
    for (std::size_t n = 0; n < tensors; ++n) ranks.sums.back().push_back(1000 + n);
  }
  return ranks;
}

class ReplicaDifferencesTest : public ::testing::Test {
 protected:
  /// Describes the ranks of `mesh`, after `change` has changed their sums.
  template <class Change>
  static std::string describe(const Mesh& mesh, const Change& change) {
    const ParameterLayout layout(kShape, mesh, {});
    std::vector<float> values(static_cast<std::size_t>(layout.local_size()));
    const VectorView flat = vector_view(values.data(), layout.local_size());
    const TrainedTensors tensors{.layout = layout, .vectors = {flat, flat, flat}};
    RanksSums ranks = equal_sums(mesh, tensors.size());
    change(ranks.sums);
    return describe_differences(mesh, tensors, ranks);
  }
};

TEST_F(ReplicaDifferencesTest, EqualCopiesGiveNoText) {
  EXPECT_EQ(describe(Mesh(2, 2, 1), [](auto&) {}), "");
}

TEST_F(ReplicaDifferencesTest, AMajorityIsBelieved) {
  EXPECT_EQ(describe(Mesh(4, 1, 1), [](auto& sums) { sums[1][2] = 7; }),
            "layers.1.weight on rank 1 on h differs from the copies on ranks 0, 2 and 3");
  EXPECT_EQ(describe(Mesh(5, 1, 1), [](auto& sums) { sums[0][5] = 7, sums[4][5] = 8; }),
            "optimizer.first.layers.0.bias on rank 0 on h and rank 4 on h differs from the copies on ranks 1, 2 and 3");
}

TEST_F(ReplicaDifferencesTest, WithoutAMajorityAllRanksAreNamed) {
  EXPECT_EQ(describe(Mesh(2, 1, 1), [](auto& sums) { sums[1][0] = 7; }),
            "layers.0.weight differs between rank 0 on h and rank 1 on h");
  EXPECT_EQ(describe(Mesh(4, 1, 1), [](auto& sums) { sums[0][0] = sums[1][0] = 7; }),
            "layers.0.weight differs between rank 0 on h, rank 1 on h, rank 2 on h and rank 3 on h");
}

/// 2x2x1: the weights are cut in two along j, and ranks 1 and 3 hold the same part.
TEST_F(ReplicaDifferencesTest, OnlyCopiesOfTheSamePartAreCompared) {
  EXPECT_EQ(describe(Mesh(2, 2, 1), [](auto& sums) { sums[0][0] = sums[2][0] = 7; }), "");
  EXPECT_EQ(describe(Mesh(2, 2, 1), [](auto& sums) { sums[3][0] = 7; }),
            "layers.0.weight differs between rank 1 on h and rank 3 on h");
}

TEST_F(ReplicaDifferencesTest, TensorsThatDifferInTheSameWayAreNamedTogether) {
  EXPECT_EQ(
      describe(Mesh(3, 1, 1), [](auto& sums) { sums[2][0] = sums[2][4] = 7; }),
      "layers.0.weight and optimizer.first.layers.0.weight on rank 2 on h differ from the copies on ranks 0 and 1");
  EXPECT_EQ(describe(Mesh(3, 1, 1), [](auto& sums) { sums[2][0] = sums[1][4] = 7; }),
            "layers.0.weight on rank 2 on h differs from the copies on ranks 0 and 1; "
            "optimizer.first.layers.0.weight on rank 1 on h differs from the copies on ranks 0 and 2");
}

TEST_F(ReplicaDifferencesTest, LongListsAreCut) {
  EXPECT_EQ(describe(Mesh(9, 1, 1), [](auto& sums) { std::ranges::fill(sums[8], 7U); }),
            "layers.0.weight, layers.0.bias, layers.1.weight, layers.1.bias and 8 more on rank 8 on h differ from the "
            "copies on ranks 0, 1, 2, 3 and 4 more");
  const std::string each = describe(Mesh(15, 1, 1), [](auto& sums) {
    for (std::size_t n = 0; n < 12; ++n) sums[n][n] = 7;
  });
  EXPECT_TRUE(each.ends_with("; and 8 more differences")) << each;
}

}  // namespace
}  // namespace recombine
