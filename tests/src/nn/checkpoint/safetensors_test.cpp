#include "src/nn/checkpoint/safetensors.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "distributed/matmul/planner.hpp"
#include "src/nn/checkpoint/bands.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

/// Weights of 1100 x 1000 are two bands; the other tensors are one each.
const ModelShape kShape{.inputs = 1000, .hidden = {1100, 7}, .outputs = 3};

class SafetensorsTest : public ::testing::Test {
 protected:
  struct Saved {
    std::string sha256, file;
  };

  /// Saves a new model of this mesh. On rank 0: what the file holds.
  Saved save(RankContext& context, Communicator& all, const std::string& name) {
    Model model(context, kShape, 4, 5);
    context.compute().synchronize();
    const bool root = all.rank() == 0;
    const auto path = std::filesystem::temp_directory_path() / (name + std::to_string(getpid()) + ".safetensors");
    std::optional<OutputFile> file;
    if (root) file.emplace("save", path.string());
    Saved saved{.sha256 = write_weights(context, all, model, file ? &*file : nullptr), .file = ""};
    if (!root) return saved;
    file->commit();
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    saved.file = text.str();
    std::filesystem::remove(path);
    EXPECT_EQ(saved.file.size(), static_cast<std::size_t>(safetensors_bytes(model.layout())));
    return saved;
  }

  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
};

/// A model on any mesh of this many ranks, whose initial values do not depend on the mesh, gives the file of one rank.
TEST_F(SafetensorsTest, EveryMeshWritesTheSameFile) {
  const auto one_device = test::make_test_device();
  const auto single = world_->split(world_->rank(), 0);
  RankContext one(Mesh(1, 1, 1), *single, *one_device);
  const Saved expected = world_->rank() == 0 ? save(one, *single, "one") : Saved{};
  const auto all = make_communicator(*world_, *device_, test::collectives(), 0, world_->rank());
  for (const Mesh& mesh : meshes_of(world_->size())) {
    SCOPED_TRACE(mesh.to_string());
    RankContext context(mesh, *world_, *device_, test::collectives());
    const Saved saved = save(context, *all, mesh.to_string());
    EXPECT_EQ(saved.sha256, expected.sha256);
    EXPECT_TRUE(saved.file == expected.file);
  }
}

TEST_F(SafetensorsTest, BandsAreWholeRowsInFileOrder) {
  RankContext context(Mesh(1, 1, world_->size()), *world_, *device_, test::collectives());
  const Model model(context, kShape, 4, 5);
  const auto all = make_communicator(*world_, *device_, test::collectives(), 0, world_->rank());
  std::vector<std::size_t> sizes;
  for_each_band(context, *all, model, [&](std::span<const float> band) { sizes.push_back(band.size()); });
  if (world_->rank() != 0) {
    EXPECT_TRUE(sizes.empty());
    return;
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1048000, 52000, 1100, 7700, 7, 21, 3}));
}

}  // namespace
}  // namespace recombine
