#include "src/nn/parameter_layout.hpp"

#include <gtest/gtest.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

const ModelShape kShape{.inputs = 5, .hidden = {7, 6}, .outputs = 3};

/// Every mesh of up to 12 ranks.
template <class Check>
void for_each_mesh(const Check& check) {
  for (int i = 1; i <= 3; ++i) {
    for (int j = 1; j <= 4; ++j) {
      for (int k = 1; k <= 12 / (i * j); ++k) {
        SCOPED_TRACE(fmt::format("{}x{}x{}", i, j, k));
        check(Mesh(i, j, k));
      }
    }
  }
}

TEST(ParameterLayoutTest, TensorsStandInFileOrder) {
  const ParameterLayout layout(kShape, Mesh(2, 2, 1), Coord{{0, 1, 0}});
  ASSERT_EQ(layout.tensors().size(), 6U);
  EXPECT_EQ(layout.tensors()[2].name, "layers.1.weight");
  EXPECT_EQ(layout.tensors()[2].shape, (std::vector<std::int64_t>{6, 7}));
  EXPECT_EQ(layout.tensors()[2].file_begin, 42);
  EXPECT_EQ(layout.tensors()[3].shape, (std::vector<std::int64_t>{6}));
  EXPECT_EQ(layout.file_size(), kShape.parameters());
  // Rows 4 to 6 of [7, 5], as j cuts the first layer's outputs; columns 4 to 6 of [6, 7], as it cuts the next one's inputs.
  EXPECT_EQ(layout.tensors()[0].range, (Range{0, 15}));
  EXPECT_EQ(layout.tensors()[2].range, (Range{18, 36}));
}

/// Every element of every tensor is on as many ranks as the mesh has replicas of it, and nowhere twice.
TEST(ParameterLayoutTest, RectanglesCoverEveryElementOnEveryMesh) {
  for_each_mesh([](const Mesh& mesh) {
    std::vector<int> holders(static_cast<std::size_t>(kShape.parameters()));
    for (int rank = 0; rank < mesh.size(); ++rank) {
      const ParameterLayout layout(kShape, mesh, mesh.coord_of(rank));
      std::int64_t at = 0;
      for (const TensorRectangle& r : layout.rectangles({0, layout.local_size()})) {
        const ParameterTensor& tensor = layout.tensors()[r.tensor];
        EXPECT_EQ(r.flat.begin, at);
        EXPECT_EQ(r.flat.size(), r.rows.size() * r.cols.size());
        at = r.flat.end;
        for (std::int64_t i = r.rows.begin; i < r.rows.end; ++i) {
          for (std::int64_t j = r.cols.begin; j < r.cols.end; ++j) {
            ++holders[static_cast<std::size_t>(tensor.file_begin + i * tensor.matrix.cols + j)];
          }
        }
      }
      EXPECT_EQ(at, layout.local_size());
    }
    const ParameterLayout layout(kShape, mesh, Coord{});
    for (const ParameterTensor& tensor : layout.tensors()) {
      int copies = mesh.size();
      for (const auto axis : {tensor.placement.rows, tensor.placement.cols}) {
        if (axis) copies /= mesh.extent(*axis);
      }
      for (std::int64_t e = 0; e < tensor.size(); ++e) {
        ASSERT_EQ(holders[static_cast<std::size_t>(tensor.file_begin + e)], copies) << tensor.name << " element " << e;
      }
    }
  });
}

/// A range is at most three rectangles of a tensor, and the same elements however it is cut.
TEST(ParameterLayoutTest, RangesBecomeFewRectangles) {
  const ParameterLayout layout(kShape, Mesh(1, 2, 2), Coord{{0, 1, 1}});
  const auto offsets_of = [&](Range flat) {
    std::vector<std::int64_t> offsets;
    for (const TensorRectangle& r : layout.rectangles(flat)) {
      for (std::int64_t i = r.rows.begin; i < r.rows.end; ++i) {
        for (std::int64_t j = r.cols.begin; j < r.cols.end; ++j) {
          offsets.push_back(layout.tensors()[r.tensor].file_begin + i * layout.tensors()[r.tensor].matrix.cols + j);
        }
      }
    }
    return offsets;
  };
  const std::vector<std::int64_t> all = offsets_of({0, layout.local_size()});
  for (std::int64_t begin = 0; begin <= layout.local_size(); ++begin) {
    for (std::int64_t end = begin; end <= layout.local_size(); ++end) {
      ASSERT_EQ(offsets_of({begin, end}), std::vector<std::int64_t>(all.begin() + begin, all.begin() + end));
      std::vector<int> count(layout.tensors().size());
      for (const TensorRectangle& r : layout.rectangles({begin, end})) ASSERT_LE(++count[r.tensor], 3);
    }
  }
}

TEST(ParameterLayoutTest, BucketsCoverTheGradientFromItsEnd) {
  const ParameterLayout whole(kShape, Mesh(1, 1, 1), Coord{});
  ASSERT_EQ(whole.buckets().size(), 1U);  // the model is smaller than a bucket
  const ModelShape wide{.inputs = 100, .hidden = {300, 40}, .outputs = 10};
  const ParameterLayout layout(wide, Mesh(1, 1, 1), Coord{}, 1000, 5000);
  std::int64_t end = layout.local_size();
  for (const Range& bucket : layout.buckets()) {
    EXPECT_EQ(bucket.end, end);
    EXPECT_GT(bucket.size(), 0);
    EXPECT_LE(bucket.size(), 5000 + ParameterLayout::kShardUnit);
    end = bucket.begin;
  }
  EXPECT_EQ(end, 0);
  // layers.2 has 410 elements, too few; with layers.1 (12,040) it is 3 buckets. layers.0 has 30,300: 7 buckets.
  EXPECT_EQ(layout.buckets().size(), 10U);
  EXPECT_EQ(layout.buckets()[2].begin, layout.layer_range(1).begin);
}

TEST(ParameterLayoutTest, ShardsCoverABucketAtMultiplesOfAUnit) {
  for (const std::int64_t size : {0, 1, 63, 64, 65, 1000, 4096}) {
    for (const std::int64_t parts : {1, 2, 3, 7, 100}) {
      std::int64_t at = 17;
      for (std::int64_t p = 0; p < parts; ++p) {
        const Range shard = ParameterLayout::shard({17, 17 + size}, parts, p);
        EXPECT_EQ(shard.begin, at);
        EXPECT_TRUE((shard.begin - 17) % ParameterLayout::kShardUnit == 0 || shard.begin == 17 + size);
        at = shard.end;
      }
      EXPECT_EQ(at, 17 + size);
    }
  }
}

}  // namespace
}  // namespace recombine
