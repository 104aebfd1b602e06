#include <vector>

#include <gtest/gtest.h>

#include "src/nn/trainer.hpp"
#include "tests/support/cuda_counts.hpp"
#include "tests/support/math_test.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/recorder.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

LoadedData data_of(std::int64_t rows, std::int64_t inputs, int classes) {
  LoadedData data{.name = "random", .classes = classes};
  data.train = {.rows = rows, .inputs = inputs, .features = test::random_values(rows * inputs, 100)};
  for (std::int64_t i = 0; i < rows; ++i) data.train.labels.push_back(static_cast<std::int32_t>(i * 7 % classes));
  return data;
}

/// Steps that a GPU replays as a graph.
class ReplayTest : public ::testing::Test {
 protected:
  struct Trained {
    std::vector<StepRecord> steps;
    std::vector<std::uint64_t> weights;
  };

  Trained train(Device& device, const SharedData& data, const TrainerOptions& options) {
    RankContext context(Mesh(world_->size(), 1, 1), *world_, device, test::collectives());
    Trainer trainer(context, data, options);
    test::Recorder recorder;
    trainer.run(recorder);
    return {recorder.steps, trainer.compare_replicas()};
  }

  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::host);
};

/// Batches of two sizes, with and without a measured norm: three kinds of steps, each replayed.
TEST_F(ReplayTest, AReplayedStepGivesTheBitsOfItsCalls) {
  const SharedData data(test::session(), *world_, *stream_, [] { return data_of(50, 9, 3); });
  const std::unique_ptr<Device> calls = test::without_replay(*device_);
  struct Case {
    OptimizerKind kind;
    double clip;
    std::int64_t accumulate;
  };
  for (const Case& one : {Case{OptimizerKind::adamw, 0, 1}, Case{OptimizerKind::adamw, 0.5, 2},
                          Case{OptimizerKind::momentum, 0, 2}, Case{OptimizerKind::sgd, 0.5, 1}}) {
    SCOPED_TRACE(::testing::Message() << "kind " << static_cast<int>(one.kind) << " clip " << one.clip << " accumulate "
                                      << one.accumulate);
    const TrainerOptions options = {.model = {.inputs = 9, .hidden = {7, 6}, .outputs = 3},
                                    .batch_size = 16 / one.accumulate,
                                    .accumulate = one.accumulate,
                                    .epochs = 3,
                                    .norm_every = 2,
                                    .seed = 5,
                                    .optimizer = {.kind = one.kind, .weight_decay = 0.1, .clip_norm = one.clip},
                                    .schedule = {.kind = ScheduleKind::cosine, .lr = 0.05, .warmup = 3}};
    const Trained replayed = train(*device_, data, options);
    const Trained called = train(*calls, data, options);
    EXPECT_EQ(replayed.weights, called.weights);
    ASSERT_EQ(replayed.steps.size(), 12U);
    for (std::size_t s = 0; s < called.steps.size(); ++s) {
      EXPECT_EQ(replayed.steps[s].train_loss, called.steps[s].train_loss) << "step " << s;
      EXPECT_EQ(replayed.steps[s].gradient_norm, called.steps[s].gradient_norm) << "step " << s;
    }
  }
}

/// Layers are so large that each has its own bucket. Their updates run while backward multiplies earlier layers.
TEST_F(ReplayTest, UpdatesNextToBackwardGiveTheBitsOfCalls) {
  const SharedData data(test::session(), *world_, *stream_, [] { return data_of(16, 9, 3); });
  const std::unique_ptr<Device> calls = test::without_replay(*device_);
  const TrainerOptions options = {
      .model = {.inputs = 9, .hidden = {512, 512, 512}, .outputs = 3}, .batch_size = 8, .epochs = 1, .seed = 5};
  ASSERT_GE(ParameterLayout(options.model, Mesh(1, 1, 1), Coord{}).buckets().size(), 2U);
  EXPECT_EQ(train(*device_, data, options).weights, train(*calls, data, options).weights);
}

/// The network of train's defaults. Launches do not depend on the size of the batch.
TEST_F(ReplayTest, AStepIsFewLaunchesAndNeverWaitsForTheHost) {
  if (!test::cuda_counts()) GTEST_SKIP() << "only the emulated GPU counts calls";
  if (world_->size() > 1) GTEST_SKIP() << "for one rank";
  const SharedData data(test::session(), *world_, *stream_, [] { return data_of(16, 784, 10); });
  std::int64_t in_f32 = 0;
  for (const DataType products : {DataType::f32, DataType::bf16}) {
    SCOPED_TRACE(name_of(products));
    RankContext context(Mesh(1, 1, 1), *world_, *device_, test::collectives());
    const TrainerOptions options = {
        .model = {.inputs = 784, .hidden = {1024, 1024}, .outputs = 10, .product_type = products},
        .batch_size = 4,
        .epochs = 1};
    Trainer trainer(context, data, options);
    const Permutation order(16, 1, 1);
    for (const std::int64_t begin : {0, 4}) trainer.step(order, {begin, begin + 4});
    const test::CudaCounts before = *test::cuda_counts();
    trainer.step(order, {8, 12});
    const test::CudaCounts step = *test::cuda_counts() - before;
    EXPECT_EQ(step.graph_launches, 1);
    EXPECT_LE(step.kernel_launches, 18);
    EXPECT_GE(step.kernel_launches, 14);
    EXPECT_EQ(step.pageable_copies, 0);
    EXPECT_EQ(step.allocations, 0);
    EXPECT_EQ(step.host_synchronisations, 0);
    RecordProperty("launches", static_cast<int>(step.kernel_launches));
    if (products == DataType::f32) in_f32 = step.kernel_launches;
    EXPECT_LE(step.kernel_launches, in_f32);  // nothing is cast
  }
}

}  // namespace
}  // namespace recombine
