// Features on a disk, in a file in memory, or beside a GPU: training gives the bits that it gives with vectors.
#include <gtest/gtest.h>

#include "distributed/matmul/planner.hpp"
#include "src/nn/predict.hpp"
#include "src/nn/training_bytes.hpp"
#include "tests/support/math_test.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/recorder.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kInputs = 21;
constexpr std::int64_t kClasses = 5;

enum class Features { vectors, memory, disk };

LoadedTable table_of(std::int64_t rows, std::uint64_t seed, Features features) {
  LoadedTable table{
      .rows = rows, .inputs = kInputs, .features = test::random_values(rows * kInputs, static_cast<int>(seed))};
  for (std::int64_t r = 0; r < rows; ++r) table.labels.push_back(static_cast<std::int32_t>(r * 7 % kClasses));
  if (features == Features::vectors) return table;
  const auto place = features == Features::disk ? FeatureStore::Place::disk : FeatureStore::Place::memory;
  const auto store = std::make_shared<FeatureStore>("random.csv", place, rows, kInputs);
  store->write(0, table.features);
  table.features.clear();
  table.store = store;
  return table;
}

LoadedData data_of(Features features) {
  LoadedData data{.name = "random", .classes = kClasses, .input = {0.5F, 0.25F}};
  data.train = table_of(67, 1, features);
  data.test = table_of(31, 2, features);
  data.validation = table_of(16, 3, features);
  return data;
}

TrainerOptions options_for(std::int64_t batch, std::int64_t accumulate) {
  return {.model = {.inputs = kInputs, .hidden = {18, 33}, .outputs = kClasses},
          .batch_size = batch,
          .accumulate = accumulate,
          .epochs = 3,
          .norm_every = 1,
          .seed = 5,
          .optimizer = {.kind = OptimizerKind::adamw},
          .schedule = {.kind = ScheduleKind::constant, .lr = 0.01}};
}

class StreamedTrainingTest : public ::testing::Test {
 protected:
  SharedData shared(Features features) {
    return {test::session(), *world_, *stream_, [&] { return data_of(features); }};
  }

  struct Trained {
    std::vector<double> losses;
    std::vector<std::uint64_t> weights;
    std::vector<float> outputs;  ///< of the test rows, on rank 0
  };

  Trained train(const Mesh& mesh, const SharedData& data, const TrainerOptions& options) {
    RankContext context(mesh, *world_, *device_, test::collectives());
    const auto group = make_communicator(*world_, *device_, test::collectives(), 0, world_->rank());
    Trainer trainer(context, data, options);
    test::Recorder recorder;
    trainer.run(recorder);
    Trained trained;
    for (const StepRecord& step : recorder.steps) trained.losses.push_back(step.train_loss);
    for (const EpochRecord& epoch : recorder.epochs) {
      for (const Score& score : {*epoch.validation, *epoch.test}) trained.losses.push_back(score.loss);
    }
    const Scores scores = trainer.evaluate_all();
    for (const Score& score : {scores.train, *scores.test, *scores.validation}) trained.losses.push_back(score.loss);
    trained.weights = trainer.compare_replicas();
    for_each_output(context, *group, trainer, trainer.test_table(), [&](std::span<const float> outputs) {
      trained.outputs.insert(trained.outputs.end(), outputs.begin(), outputs.end());
    });
    return trained;
  }

  static void expect_equal(const Trained& found, const Trained& expected) {
    EXPECT_EQ(found.losses, expected.losses);
    EXPECT_EQ(found.weights, expected.weights);
    EXPECT_EQ(found.outputs, expected.outputs);
  }

  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::host);
};

/// Batches that leave a short one at the end, that are smaller than many meshes, and of several micro-batches.
TEST_F(StreamedTrainingTest, GivesTheBitsOfDataInMemory) {
  const SharedData vectors = shared(Features::vectors);
  const SharedData memory = shared(Features::memory);
  const SharedData disk = shared(Features::disk);
  struct Case {
    std::int64_t batch, accumulate, epochs;
    std::int64_t steps = 0;  ///< > 0: the last epoch is cut short, so the batch that is read ahead is not the next one
  };
  for (const Mesh& mesh : meshes_of(world_->size())) {
    for (const Case& one : {Case{20, 1, 2, 6}, Case{3, 4, 1}, Case{67, 1, 2}, Case{8, 3, 2, 4}}) {
      SCOPED_TRACE(::testing::Message() << mesh.to_string() << " batch " << one.batch << " x " << one.accumulate);
      TrainerOptions options = options_for(one.batch, one.accumulate);
      options.epochs = one.epochs;
      options.steps = one.steps;
      const Trained expected = train(mesh, vectors, options);
      ASSERT_GE(expected.losses.size(), 6U);
      expect_equal(train(mesh, memory, options), expected);
      expect_equal(train(mesh, disk, options), expected);
      options.tables = TablePlace::streamed;  // on a GPU, also from the host's memory
      if (device_->kind() == DeviceKind::cuda) expect_equal(train(mesh, vectors, options), expected);
    }
  }
}

TEST_F(StreamedTrainingTest, BytesOfPixelsAreStreamedToAGpu) {
  if (device_->kind() == DeviceKind::cpu) return;  // a CPU reads them where they are
  const SharedData data(test::session(), *world_, *stream_, [] {
    LoadedData pixels{.name = "pixels", .classes = kClasses, .input = {1.0F / 255, 0}};
    pixels.train = table_of(67, 1, Features::vectors);
    for (const float x : pixels.train.features) pixels.train.pixels.push_back(static_cast<std::uint8_t>(128 + 100 * x));
    pixels.train.features.clear();
    pixels.test = pixels.validation = pixels.train;
    return pixels;
  });
  const Mesh mesh(world_->size(), 1, 1);
  TrainerOptions options = options_for(20, 1);
  const Trained expected = train(mesh, data, options);
  options.tables = TablePlace::streamed;
  expect_equal(train(mesh, data, options), expected);
}

TEST_F(StreamedTrainingTest, AGpuKeepsATableThatFitsNextToTraining) {
  const SharedData data = shared(Features::vectors);
  RankContext context(Mesh(world_->size(), 1, 1), *world_, *device_, test::collectives());
  const bool on_gpu = device_->kind() == DeviceKind::cuda;
  const auto free = static_cast<double>(cuda_free_memory());
  EXPECT_EQ(free > 0, on_gpu);
  EXPECT_FALSE(DeviceTable(context, data.train()).table().streamed);
  EXPECT_EQ(DeviceTable(context, data.train(), {.reserved = free}).table().streamed, on_gpu);
  EXPECT_EQ(DeviceTable(context, data.train(), {.place = TablePlace::streamed}).table().streamed, on_gpu);
}

/// Only labels and staging memory count; they do not grow with the rows.
TEST_F(StreamedTrainingTest, RowsOnADiskTakeNoMemory) {
  const SharedData vectors = shared(Features::vectors);
  const SharedData memory = shared(Features::memory);
  const SharedData disk = shared(Features::disk);
  const double features = (67 + 31 + 16) * kInputs * sizeof(float);
  EXPECT_EQ(table_bytes(vectors) - table_bytes(disk), features);
  EXPECT_EQ(table_bytes(memory), table_bytes(vectors));
  EXPECT_GE(static_cast<double>(memory.bytes() - disk.bytes()), features);
  EXPECT_EQ(vectors.contents(), disk.contents());
  EXPECT_EQ(vectors.contents(), memory.contents());

  const TrainerOptions options = options_for(20, 3);
  const std::int64_t largest = Trainer::largest_batch(disk, options);
  for (const Mesh& mesh : meshes_of(world_->size())) {
    SCOPED_TRACE(mesh.to_string());
    const Coord coord = mesh.coord_of(world_->rank());
    EXPECT_EQ(staging_bytes(mesh, coord, vectors, largest), 0);
    if (device_->kind() == DeviceKind::cuda) continue;
    RankContext context(mesh, *world_, *device_);
    const auto counted = [&](const SharedData& data) {
      device_->memory_count().reset_peak();
      const Trainer trainer(context, data, options);
      return device_->memory_count().peak()[MemoryUse::buffers];
    };
    EXPECT_EQ(counted(disk) - counted(vectors), staging_bytes(mesh, coord, disk, largest));
  }
}

}  // namespace
}  // namespace recombine
