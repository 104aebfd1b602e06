#include "distributed/mesh.hpp"

#include <gtest/gtest.h>

#include "distributed/dist_matrix.hpp"
#include "kernels/error.hpp"

namespace recombine {
namespace {

TEST(SplitRange, PartsAreConsecutiveAndDifferByAtMostOne) {
  for (const std::int64_t extent : {0, 1, 2, 3, 7, 64, 65, 257}) {
    for (const std::int64_t parts : {1, 2, 3, 4, 7, 8}) {
      std::int64_t end = 0;
      for (std::int64_t p = 0; p < parts; ++p) {
        const Range range = split_range(extent, parts, p);
        EXPECT_EQ(range.begin, end);
        EXPECT_GE(range.size(), extent / parts);
        EXPECT_LE(range.size(), (extent + parts - 1) / parts);
        end = range.end;
      }
      EXPECT_EQ(end, extent);
    }
  }
}

/// Boundaries move to multiples of the unit, unless a part is narrower than the unit. A part changes by at most a unit.
TEST(SplitRange, BoundariesMoveToMultiplesOfAUnit) {
  for (const std::int64_t extent : {0, 1, 10, 31, 32, 33, 64, 257, 784, 1000, 1024}) {
    for (const std::int64_t parts : {1, 2, 3, 4, 7, 8}) {
      std::int64_t end = 0;
      for (std::int64_t p = 0; p < parts; ++p) {
        SCOPED_TRACE(fmt::format("part {} of {} of {}", p, parts, extent));
        const Range range = split_range(extent, parts, p, 16);
        EXPECT_EQ(range.begin, end);
        end = range.end;
        if (extent / parts < 16) {
          EXPECT_EQ(range, split_range(extent, parts, p));
        } else {
          EXPECT_EQ(range.begin % 16, 0);
          EXPECT_LE(std::abs(range.size() - extent / parts), 16);
          EXPECT_GE(range.size(), 8);
        }
      }
      EXPECT_EQ(end, extent);
    }
  }
  EXPECT_EQ(split_range(784, 2, 0, 16), (Range{0, 400}));
  EXPECT_EQ(split_range(33, 2, 1, 16), (Range{16, 33}));
}

TEST(MeshTest, CoordinatesAndRanksAreInverse) {
  const Mesh mesh(2, 3, 2);
  for (int rank = 0; rank < mesh.size(); ++rank) EXPECT_EQ(mesh.rank_of(mesh.coord_of(rank)), rank);
  EXPECT_EQ(mesh.coord_of(1)[Axis::k], 1);
  EXPECT_EQ(mesh.coord_of(2)[Axis::j], 1);
  EXPECT_EQ(mesh.coord_of(6)[Axis::i], 1);
}

TEST(MeshTest, ParsesThreeCounts) {
  EXPECT_EQ(Mesh::parse("2x1x12"), Mesh(2, 1, 12));
  for (const char* bad : {"", "2", "2x1", "2x1x", "2x1x2x1", "0x1x1", "-1x1x1", "axbxc", "2x1x2 ", " 2x1x2",
                          "65536x65536x1", "3x1431655766x1", "1x2147483647x2"}) {
    EXPECT_THROW(Mesh::parse(bad), InputError) << "'" << bad << "'";
  }
}

TEST(DistMatrixTest, BlocksOfAllRanksTileTheMatrix) {
  const Mesh mesh(2, 3, 1);
  const DistMatrix::Shape shape{7, 5};
  std::vector<int> covered(35);
  for (int rank = 0; rank < mesh.size(); ++rank) {
    const Placement placement{.rows = Axis::i, .cols = Axis::j};
    std::vector<float> memory(
        static_cast<std::size_t>(DistMatrix::local_size(mesh, mesh.coord_of(rank), shape, placement)));
    const DistMatrix m(mesh, mesh.coord_of(rank), shape, placement,
                       vector_view(memory.data(), static_cast<std::int64_t>(memory.size())));
    EXPECT_EQ(m.memory().size, static_cast<std::int64_t>(memory.size()));
    for (const Block& block : m.blocks()) {
      EXPECT_EQ(block.view.rows, block.rows.size());
      for (std::int64_t i = block.rows.begin; i < block.rows.end; ++i) {
        for (std::int64_t j = block.cols.begin; j < block.cols.end; ++j) {
          ++covered[static_cast<std::size_t>(i * 5 + j)];
        }
      }
    }
  }
  EXPECT_EQ(covered, std::vector<int>(35, 1));
}

TEST(DistMatrixTest, TooLittleMemoryIsRefused) {
  const Mesh mesh(1, 1, 1);
  std::vector<float> memory(5);
  EXPECT_THROW(DistMatrix(mesh, mesh.coord_of(0), {2, 3}, {}, vector_view(memory.data(), 5)), Error);
}

TEST(DistMatrixTest, OneAxisCannotCutBothRowsAndColumns) {
  const Mesh mesh(2, 1, 1);
  EXPECT_THROW(DistMatrix(mesh, mesh.coord_of(0), {0, 0}, {.rows = Axis::i, .cols = Axis::i}, {}), Error);
}

TEST(PlacementTest, ItsTextNamesTheAxesAndTheStates) {
  Placement placement{.rows = Axis::i, .cols = Axis::k};
  placement[Axis::j] = State::partial;
  EXPECT_EQ(placement.to_string(), "[i,k] j:partial");
}

}  // namespace
}  // namespace recombine
