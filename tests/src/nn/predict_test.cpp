#include "src/nn/predict.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

#include "distributed/matmul/planner.hpp"
#include "tests/support/math_test.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kRows = 67, kTestRows = 23, kInputs = 20, kOutputs = 35;

LoadedTable table(std::int64_t rows, std::uint64_t seed) {
  return {.rows = rows,
          .inputs = kInputs,
          .outputs = kOutputs,
          .features = test::random_values(rows * kInputs, seed),
          .targets = test::random_values(rows * kOutputs, seed + 1)};
}

class PredictTest : public ::testing::Test {
 protected:
  /// The outputs of the training rows: three batches of at most 23 rows.
  std::vector<float> outputs(RankContext& context, Communicator& group) {
    Trainer trainer(context, data_, options_);
    std::vector<float> all;
    for_each_output(context, group, trainer, trainer.train_table(),
                    [&](std::span<const float> rows) { all.insert(all.end(), rows.begin(), rows.end()); });
    return all;
  }

  const TrainerOptions options_{.model = {.inputs = kInputs, .hidden = {40}, .outputs = kOutputs},
                                .loss = LossKind::mse,
                                .batch_size = 10,
                                .epochs = 1,
                                .seed = 4};
  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::host);
  SharedData data_{test::session(), *world_, *stream_,
                   [] { return LoadedData{.name = "random", .train = table(kRows, 7), .test = table(kTestRows, 9)}; }};
  std::unique_ptr<Communicator> all_ =
      make_communicator(*world_, *device_, test::collectives(), 0, test::session().rank());
};

TEST_F(PredictTest, EveryMeshHasTheOutputsOfOneRank) {
  const auto one_device = test::make_test_device();
  const auto single = world_->split(world_->rank(), 0);
  RankContext one(Mesh(1, 1, 1), *single, *one_device);
  const std::vector<float> expected = outputs(one, *single);
  ASSERT_EQ(std::ssize(expected), kRows * kOutputs);
  for (const Mesh& mesh : meshes_of(world_->size())) {
    SCOPED_TRACE(mesh.to_string());
    RankContext context(mesh, *world_, *device_, test::collectives());
    const std::vector<float> found = outputs(context, *all_);
    ASSERT_EQ(found.size(), world_->rank() == 0 ? expected.size() : 0);
    for (std::size_t n = 0; n < found.size(); ++n) ASSERT_NEAR(found[n], expected[n], 1e-5) << "output " << n;
  }
}

/// The other ranks do not know of the failure, so all batches are brought before it is thrown.
TEST_F(PredictTest, AFailureOfVisitIsThrownAfterTheLastBatch) {
  RankContext context(Mesh(1, 1, world_->size()), *world_, *device_, test::collectives());
  Trainer trainer(context, data_, options_);
  int calls = 0;
  const auto predict = [&] {
    for_each_output(context, *all_, trainer, trainer.train_table(), [&](std::span<const float>) {
      ++calls;
      throw std::runtime_error("full");
    });
  };
  if (world_->rank() == 0) {
    EXPECT_THROW(predict(), std::runtime_error);
    EXPECT_EQ(calls, 1);
  } else {
    EXPECT_NO_THROW(predict());
    EXPECT_EQ(calls, 0);
  }
}

}  // namespace
}  // namespace recombine
