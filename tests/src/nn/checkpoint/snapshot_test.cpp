#include "src/nn/checkpoint/snapshot.hpp"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "distributed/matmul/planner.hpp"
#include "src/nn/checkpoint/background_task.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

const ModelShape kShape{.inputs = 35, .hidden = {70, 7}, .outputs = 3};

class SnapshotTest : public ::testing::Test {
 protected:
  /// A flat buffer whose elements are the numbers of the elements in the file, plus `first`.
  Buffer numbered(RankContext& context, const ParameterLayout& layout, float first) {
    std::vector<float> values(static_cast<std::size_t>(layout.local_size()), -1);
    for (const TensorRectangle& part : layout.rectangles({0, layout.local_size()})) {
      const ParameterTensor& tensor = layout.tensors()[part.tensor];
      std::int64_t at = part.flat.begin;
      for (std::int64_t row = part.rows.begin; row < part.rows.end; ++row) {
        for (std::int64_t col = part.cols.begin; col < part.cols.end; ++col, ++at) {
          const std::int64_t number = tensor.file_begin + row * tensor.matrix.cols + col;
          values[static_cast<std::size_t>(at)] = first + static_cast<float>(number);
        }
      }
    }
    Buffer flat(context.device(), DataType::f32, layout.local_size());
    const std::vector<float>& filled = values;
    context.device().copy(context.compute(), flat.view(), vector_view(filled.data(), layout.local_size()));
    context.compute().synchronize();
    return flat;
  }

  void check(const Mesh& mesh, const ModelShape& shape) {
    RankContext context(mesh, *world_, *device_, test::collectives());
    const ParameterLayout layout(shape, mesh, context.coord());
    const std::int64_t size = layout.file_size();
    const Buffer weights = numbered(context, layout, 1);
    const Buffer moments = numbered(context, layout, static_cast<float>(size + 1));
    Snapshot snapshot(context, *all_, {layout, {weights.view(), moments.view()}});
    for (const Snapshot::Piece& piece : snapshot.pieces()) {
      if (piece.data.bytes() < SharedFile::kLeastDirect) continue;
      const auto address = reinterpret_cast<std::uintptr_t>(piece.data.data);
      EXPECT_EQ((address - static_cast<std::uintptr_t>(piece.offset)) % SharedFile::kBlock, 0U);
    }
    // An element that two ranks have, or none, has another sum.
    std::vector<float> file(static_cast<std::size_t>(2 * size));
    for (int time = 0; time < 2; ++time) {
      snapshot.restart();
      std::ranges::fill(file, 0.0F);
      const BackgroundTask writer([&] {
        for (std::size_t p = 0; p < snapshot.pieces().size() && snapshot.wait_for(p); ++p) {
          const Snapshot::Piece& piece = snapshot.pieces()[p];
          std::memcpy(file.data() + piece.offset / 4, piece.data.data, static_cast<std::size_t>(piece.data.bytes()));
          snapshot.set_written(p + 1);
        }
      });
      snapshot.take();
      writer.wait();
    }
    world_->all_reduce(*stream_, vector_view(file.data(), 2 * size), Reduction::sum);
    stream_->synchronize();
    for (std::int64_t e = 0; e < 2 * size; ++e) {
      ASSERT_EQ(file[static_cast<std::size_t>(e)], static_cast<float>(e + 1)) << "element " << e;
    }
  }

  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::host);
  std::unique_ptr<Communicator> all_ =
      make_communicator(*world_, *device_, test::collectives(), 0, test::session().rank());
};

TEST_F(SnapshotTest, TheRanksOfAnyMeshHaveEachElementOnce) {
  for (const Mesh& mesh : meshes_of(world_->size())) {
    SCOPED_TRACE(mesh.to_string());
    check(mesh, kShape);
    // Memory is used again on CPUs only. With more ranks, f32 could not count the elements.
    if (device_->kind() != DeviceKind::cpu || world_->size() > 4) continue;
    check(mesh, {.inputs = 1024, .hidden = {world_->size() * 2048}, .outputs = 3});  // more than two shares
  }
}

}  // namespace
}  // namespace recombine
