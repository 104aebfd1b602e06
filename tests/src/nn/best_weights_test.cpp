#include <algorithm>

#include <gtest/gtest.h>

#include "distributed/matmul/planner.hpp"
#include "kernels/error.hpp"
#include "src/nn/trainer.hpp"
#include "tests/support/math_test.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/recorder.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kRows = 24, kInputs = 6;

/// Random labels: what training learns by heart makes the validation loss grow.
LoadedTable random_table(std::int64_t rows, std::uint64_t seed) {
  LoadedTable table{.rows = rows, .inputs = kInputs, .features = test::random_values(rows * kInputs, seed)};
  for (std::int64_t row = 0; row < rows; ++row) table.labels.push_back(static_cast<std::int32_t>(row * row % 7 % 3));
  return table;
}

class BestWeightsTest : public ::testing::Test {
 protected:
  TrainerOptions options_{.model = {.inputs = kInputs, .hidden = {34}, .outputs = 3},
                          .batch_size = 6,
                          .epochs = 30,
                          .kept = KeptWeights::best,
                          .seed = 3,
                          .optimizer = {.kind = OptimizerKind::adamw},
                          .schedule = {.kind = ScheduleKind::constant, .lr = 0.02}};
  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::host);
  SharedData data_{
      test::session(), *world_, *stream_, [] {
        return LoadedData{
            .name = "random", .classes = 3, .train = random_table(kRows, 1), .validation = random_table(kRows, 2)};
      }};
};

TEST_F(BestWeightsTest, TheyAreThoseOfTheLowestValidationLoss) {
  for (const Mesh& mesh : meshes_of(world_->size())) {
    SCOPED_TRACE(mesh.to_string());
    RankContext context(mesh, *world_, *device_, test::collectives());
    Trainer trainer(context, data_, options_);
    test::Recorder recorder;
    trainer.run(recorder);
    ASSERT_EQ(recorder.epochs.size(), 30U);
    const auto loss = [](const EpochRecord& epoch) { return epoch.validation->loss; };
    const auto best = std::ranges::min_element(recorder.epochs, {}, loss);
    ASSERT_LT(best->epoch, 30) << "the last epoch is the best one: the test shows nothing";
    EXPECT_EQ(trainer.state().best_epoch, best->epoch);
    EXPECT_DOUBLE_EQ(trainer.state().best_loss, loss(*best));
    const DeviceTable& validation = trainer.validation_table();
    EXPECT_DOUBLE_EQ(trainer.evaluate(validation).loss, loss(recorder.epochs.back()));
    trainer.use_best();
    EXPECT_DOUBLE_EQ(trainer.evaluate(validation).loss, loss(*best));
    EXPECT_EQ(trainer.compare_replicas().size(), 4U * 4) << "weights, the best ones, and two moments of 4 tensors";
  }
}

TEST_F(BestWeightsTest, TensorsOfACheckpoint) {
  RankContext context(Mesh(world_->size(), 1, 1), *world_, *device_, test::collectives());
  const Trainer trainer(context, data_, options_);
  const TrainedTensors tensors = trainer.tensors();
  ASSERT_EQ(tensors.size(), 16U);
  EXPECT_EQ(tensors.name(0), "layers.0.weight");
  EXPECT_EQ(tensors.name(5), "optimizer.best.layers.0.bias");
  EXPECT_EQ(tensors.name(8), "optimizer.first.layers.0.weight");
  EXPECT_EQ(tensors.name(15), "optimizer.second.layers.1.bias");
  EXPECT_NE(tensors.matrix(4).memory().data, tensors.matrix(0).memory().data);
  options_.kept = KeptWeights::last;
  EXPECT_EQ(Trainer(context, data_, options_).tensors().name(4), "optimizer.first.layers.0.weight");
}

TEST_F(BestWeightsTest, TheRemedyOfDivergenceIsAsked) {
  RankContext context(Mesh(world_->size(), 1, 1), *world_, *device_, test::collectives());
  options_.optimizer = {.kind = OptimizerKind::sgd};
  options_.schedule.lr = 1e30;
  options_.remedy = [] { return "a remedy"; };
  Trainer trainer(context, data_, options_);
  test::Recorder recorder;
  try {
    trainer.run(recorder);
    ADD_FAILURE() << "training did not diverge";
  } catch (const InputError& error) {
    EXPECT_TRUE(std::string(error.what()).ends_with("; expected a remedy")) << error.what();
  }
}

}  // namespace
}  // namespace recombine
