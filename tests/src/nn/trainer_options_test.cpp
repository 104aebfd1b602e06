#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "src/nn/trainer.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

LoadedData two_classes() {
  LoadedData data{.name = "two classes", .classes = 2};
  data.train = {.rows = 2, .inputs = 3, .features = {1, 2, 3, 4, 5, 6}, .labels = {0, 1}};
  return data;
}

TEST(TrainerOptionsTest, MustMatchTheData) {
  const auto device = test::make_test_device(test::session().progress());
  const auto world = make_world(test::session());
  const auto stream = device->make_stream(StreamUse::host);
  const SharedData data(test::session(), *world, *stream, two_classes);
  RankContext context(Mesh(world->size(), 1, 1), *world, *device, test::collectives());
  const TrainerOptions right{.model = {.inputs = 3, .hidden = {4}, .outputs = 2}, .batch_size = 2, .epochs = 1};
  EXPECT_NO_THROW(Trainer(context, data, right));

  const auto expect_refused = [&](const auto& change, const std::string& expected) {
    TrainerOptions wrong = right;
    change(wrong);
    std::string message = "nothing";
    try {
      const Trainer trainer(context, data, wrong);
    } catch (const InputError& error) {
      message = error.what();
    }
    EXPECT_NE(message.find(expected), std::string::npos) << message << "\n  does not contain: " << expected;
  };
  const std::string counts = "expected at least 1 of each";
  expect_refused([](TrainerOptions& wrong) { wrong.batch_size = 0; }, counts);
  expect_refused([](TrainerOptions& wrong) { wrong.accumulate = 0; }, counts);
  expect_refused([](TrainerOptions& wrong) { wrong.epochs = 0; }, counts);
  const std::string sizes = "expected 3 and 2, as the data have";
  expect_refused([](TrainerOptions& wrong) { wrong.model.inputs = 4; }, sizes);
  expect_refused([](TrainerOptions& wrong) { wrong.model.outputs = 1; }, sizes);
  expect_refused([](TrainerOptions& wrong) { wrong.loss = LossKind::mse; },
                 "expected loss = cross_entropy for classes");
}

}  // namespace
}  // namespace recombine
