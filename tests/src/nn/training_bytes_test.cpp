#include "src/nn/training_bytes.hpp"

#include <gtest/gtest.h>

#include "distributed/matmul/planner.hpp"
#include "tests/support/math_test.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kRows = 80;
constexpr std::int64_t kBatch = 64;

LoadedData random_data(std::int64_t inputs, std::int64_t classes) {
  LoadedData data{.name = "random", .classes = classes};
  data.train = {.rows = kRows, .inputs = inputs, .features = test::random_values(kRows * inputs, 1)};
  for (std::int64_t r = 0; r < kRows; ++r) data.train.labels.push_back(static_cast<std::int32_t>(r % classes));
  return data;
}

class TrainingBytesTest : public ::testing::Test {
 protected:
  TrainingBytesTest() {
    const std::int64_t hidden = test::device_kind() == DeviceKind::cuda ? 64 : 1024;  // the emulation is slow
    options_.model = {.inputs = 784, .hidden = {hidden, hidden}, .outputs = 10};
    options_.batch_size = kBatch;
    options_.epochs = 1;
    options_.schedule.lr = 0.001;
  }

  /// The peaks that the device counts in a step and an evaluation on `mesh`.
  MemoryBytes counted(const Mesh& mesh) {
    const auto device = test::make_test_device(test::session().progress());
    const auto stream = device->make_stream(StreamUse::host);
    const SharedData data(test::session(), *world_, *stream,
                          [&] { return random_data(options_.model.inputs, options_.model.outputs); });
    RankContext context(mesh, *world_, *device, test::collectives());
    device->memory_count().reset_peak();
    Trainer trainer(context, data, options_);
    trainer.step(Permutation(kRows, 1, 1), {0, kBatch});
    trainer.discard_losses();
    trainer.compare_replicas();
    trainer.evaluate(trainer.train_table());
    MemoryBytes bytes = device->memory_count().peak();
    EXPECT_EQ(bytes[MemoryUse::data], device->kind() == DeviceKind::cuda ? table_bytes(data) : 0);
    bytes[MemoryUse::data] = 0;
    return bytes;
  }

  MemoryBytes predicted(const Mesh& mesh, int rank) {
    return training_bytes(mesh, mesh.coord_of(rank), options_, kBatch);
  }

  TrainerOptions options_;
  std::unique_ptr<Communicator> world_ = make_world(test::session());
};

TEST_F(TrainingBytesTest, PredictionIsWhatTheDeviceCounts) {
  for (const OptimizerKind kind : {OptimizerKind::adamw, OptimizerKind::sgd}) {
    for (const Activation activation : {Activation::relu, Activation::gelu}) {
      options_.optimizer = {.kind = kind, .clip_norm = kind == OptimizerKind::sgd ? 1.0 : 0.0};
      options_.model.activation = activation;
      options_.kept = activation == Activation::relu ? KeptWeights::best : KeptWeights::last;
      const bool rounds = (kind == OptimizerKind::sgd) == (activation == Activation::relu);
      options_.model.product_type = rounds ? DataType::bf16 : DataType::f32;
      for (const Mesh& mesh : meshes_of(world_->size())) {
        SCOPED_TRACE(mesh.to_string());
        const MemoryBytes expected = predicted(mesh, world_->rank());
        const MemoryBytes found = counted(mesh);
        for (const MemoryUse use : kMemoryUses)
          EXPECT_NEAR(found[use], expected[use], 0.01 * expected[use]) << name_of(use);
      }
    }
  }
}

/// j and k divide the parameters. i divides all activations; j and k take turns from layer to layer.
TEST(TrainingBytes, MeshesDivideParametersAndActivations) {
  TrainerOptions options{.model = {.inputs = 784, .hidden = {1024, 1024}, .outputs = 10}};
  const auto most = [&](const Mesh& mesh, MemoryUse use) {
    double bytes = 0;
    for (int rank = 0; rank < mesh.size(); ++rank) {
      bytes = std::max(bytes, training_bytes(mesh, mesh.coord_of(rank), options, 256)[use]);
    }
    return bytes;
  };
  const auto share = [&](const Mesh& mesh, MemoryUse use) { return most(mesh, use) / most(Mesh(1, 1, 1), use); };
  for (const MemoryUse use : {MemoryUse::weights, MemoryUse::gradients, MemoryUse::moments}) {
    EXPECT_LE(share(Mesh(1, 2, 2), use), 0.25 * 1.02) << name_of(use);
    EXPECT_DOUBLE_EQ(share(Mesh(4, 1, 1), use), 1) << name_of(use);
    EXPECT_LE(share(Mesh(1, 4, 1), use), 0.25 * 1.02) << name_of(use);
  }
  EXPECT_LE(share(Mesh(1, 2, 2), MemoryUse::activations), 0.5 * 1.02);
  EXPECT_LE(share(Mesh(4, 1, 1), MemoryUse::activations), 0.25 * 1.02);
}

/// In bf16 there is a copy of the weights, and values take half the memory. On meshes that cut layers, sums over ranks
/// need f32 memory. Layers share it.
TEST(TrainingBytes, Bf16HalvesActivations) {
  TrainerOptions options{.model = {.inputs = 1024, .hidden = {8192, 8192, 8192}, .outputs = 10}};
  const auto bytes = [&](const Mesh& mesh, DataType type) {
    options.model.product_type = type;
    return training_bytes(mesh, Coord{}, options, 8192);
  };
  for (const auto& [mesh, most] : {std::pair(Mesh(1, 1, 1), 0.505), std::pair(Mesh(8, 1, 1), 0.505),
                                   std::pair(Mesh(1, 2, 1), 0.76), std::pair(Mesh(1, 2, 2), 0.85)}) {
    const MemoryBytes f32 = bytes(mesh, DataType::f32);
    const MemoryBytes bf16 = bytes(mesh, DataType::bf16);
    EXPECT_DOUBLE_EQ(bf16[MemoryUse::weights], 1.5 * f32[MemoryUse::weights]);
    EXPECT_DOUBLE_EQ(bf16[MemoryUse::gradients], f32[MemoryUse::gradients]);
    EXPECT_LE(bf16[MemoryUse::activations], most * f32[MemoryUse::activations]) << mesh.to_string();
  }
}

}  // namespace
}  // namespace recombine
