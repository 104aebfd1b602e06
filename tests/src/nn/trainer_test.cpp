#include "src/nn/trainer.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "tests/support/math_test.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/recorder.hpp"
#include "tests/support/reference_network.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kRows = 13;
constexpr std::int64_t kInputs = 5;

using test::Recorder;

LoadedData small_data() {
  LoadedData data{.name = "small", .classes = 3};
  data.train = {.rows = kRows, .inputs = kInputs, .features = test::random_values(kRows * kInputs, 100)};
  for (std::int32_t i = 0; i < kRows; ++i) data.train.labels.push_back(i * 7 % 3);
  data.validation = data.train;
  return data;
}

class TrainerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::host);
  SharedData data_{test::session(), *world_, *stream_, small_data};
  RankContext context_{Mesh(world_->size(), 1, 1), *world_, *device_, test::collectives()};

  static TrainerOptions options(OptimizerKind kind) {
    return {.model = {.inputs = kInputs, .hidden = {7, 6}, .outputs = 3},
            .batch_size = kRows,
            .epochs = 1,
            .seed = 5,
            .optimizer = {.kind = kind, .weight_decay = 0.1},
            .schedule = {.kind = ScheduleKind::constant, .lr = 0.05}};
  }
};

/// One parameter's step in plain double arithmetic.
struct PlainOptimizer {
  OptimizerOptions options;
  double lr;
  double m = 0;
  double v = 0;
  int step = 0;

  double update(double w, double g, bool decays) {
    const double decay = decays ? options.weight_decay : 0;
    ++step;
    if (options.kind == OptimizerKind::sgd) return w - lr * (g + decay * w);
    if (options.kind == OptimizerKind::momentum) {
      m = 0.9 * m + g + decay * w;
      return w - lr * m;
    }
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    const double m_hat = m / (1 - std::pow(0.9, step));
    const double v_hat = v / (1 - std::pow(0.999, step));
    return w - lr * decay * w - lr * m_hat / (std::sqrt(v_hat) + 1e-8);
  }
};

/// Three full-batch steps on any number of ranks against plain loops, with and without clipping.
TEST_F(TrainerTest, StepsAgreeWithPlainLoops) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adamw}) {
    for (const double clip : {0.0, 0.05}) {
      TrainerOptions with = options(kind);
      with.optimizer.clip_norm = clip;
      with.epochs = 3;
      Trainer trainer(context_, data_, with);
      context_.compute().synchronize();
      const auto* w = trainer.model().weights().as<float>();
      const auto size = static_cast<std::size_t>(trainer.model().weights().size);
      test::ReferenceNetwork reference{with.model, LossKind::cross_entropy, {w, w + size}};
      std::vector<PlainOptimizer> plain(size, {with.optimizer, 0.05});
      const LoadedData loaded = small_data();
      const std::vector<double> x(loaded.train.features.begin(), loaded.train.features.end());
      const std::vector<double> labels(loaded.train.labels.begin(), loaded.train.labels.end());
      Recorder recorder;
      trainer.run(recorder);
      ASSERT_EQ(recorder.steps.size(), 3U);
      for (int step = 0; step < 3; ++step) {
        EXPECT_NEAR(recorder.steps[static_cast<std::size_t>(step)].train_loss, reference.mean_loss(x, labels), 2e-5);
        auto g = reference.gradient(x, labels);
        double square = 0;
        for (const double slope : g) square += slope * slope;
        const double scale = clip > 0 ? std::min(1.0, clip / std::sqrt(square)) : 1;
        for (const ParameterTensor& tensor : trainer.model().layout().tensors()) {
          for (auto p = static_cast<std::size_t>(tensor.range.begin); p < static_cast<std::size_t>(tensor.range.end);
               ++p) {
            reference.parameters[p] = plain[p].update(reference.parameters[p], scale * g[p], tensor.decays());
          }
        }
      }
      context_.compute().synchronize();
      // AdamW divides by the root of tiny second moments, which magnifies rounding in the first steps.
      const double tolerance = kind == OptimizerKind::adamw ? 2e-3 : 2e-6;
      for (std::size_t p = 0; p < size; ++p) {
        ASSERT_NEAR(w[p], reference.parameters[p], tolerance)
            << "parameter " << p << " optimizer " << static_cast<int>(kind) << " clip " << clip;
      }
    }
  }
}

TEST_F(TrainerTest, AShortLastBatchCountsByItsTrueSize) {
  TrainerOptions with = options(OptimizerKind::sgd);
  with.batch_size = 4;  // 4 + 4 + 4 + 1
  with.schedule.lr = 0;
  Trainer trainer(context_, data_, with);
  Recorder recorder;
  trainer.run(recorder);
  ASSERT_EQ(recorder.steps.size(), 4U);
  // Nothing is learned at rate 0, so the epoch's mean is the loss over all rows.
  EXPECT_NEAR(recorder.epochs.front().train_loss, trainer.evaluate(trainer.train_table()).loss, 1e-6);
  EXPECT_EQ(trainer.state().samples, kRows);
}

/// Micro-batches of 2, 3 to a step, against batches of 6: 6 + 6 + 1 rows, so the last micro-batch is short.
TEST_F(TrainerTest, AccumulatedMicroBatchesEqualOneBatch) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum}) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      const auto train = [&](std::int64_t batch_size, std::int64_t accumulate) {
        TrainerOptions with = options(kind);
        with.model.product_type = type;
        with.model.activation = Activation::gelu;
        with.batch_size = batch_size;
        with.accumulate = accumulate;
        with.epochs = 3;
        Trainer trainer(context_, data_, with);
        Recorder recorder;
        trainer.run(recorder);
        EXPECT_EQ(trainer.state().samples, 3 * kRows);
        return recorder;
      };
      const Recorder whole = train(6, 1);
      const Recorder parts = train(2, 3);
      ASSERT_EQ(parts.steps.size(), 9U);
      ASSERT_EQ(whole.steps.size(), 9U);
      const double tolerance = type == DataType::f32 ? 1e-5 : 1e-2;
      for (std::size_t s = 0; s < 9; ++s) {
        EXPECT_NEAR(parts.steps[s].train_loss, whole.steps[s].train_loss, tolerance) << "step " << s;
        EXPECT_EQ(parts.steps[s].rows, whole.steps[s].rows);
      }
      EXPECT_NEAR(parts.epochs.back().validation->loss, whole.epochs.back().validation->loss, tolerance);
    }
  }
}

TEST_F(TrainerTest, StopsAtTheStepsAskedFor) {
  TrainerOptions with = options(OptimizerKind::sgd);
  with.batch_size = 2;
  with.epochs = 5;
  with.steps = 9;
  Trainer trainer(context_, data_, with);
  Recorder recorder;
  trainer.run(recorder);
  EXPECT_EQ(trainer.state().step, 9);
  EXPECT_EQ(recorder.steps.size(), 9U);
  EXPECT_EQ(recorder.epochs.size(), 2U);
  const bool on_cpu = device_->kind() == DeviceKind::cpu;
  EXPECT_TRUE(on_cpu || trainer.time().exposed_communication == 0) << "a GPU's waits are part of its compute time";
}

TEST_F(TrainerTest, CountsNoMoreStepsThanFit) {
  TrainerOptions with = options(OptimizerKind::sgd);
  with.batch_size = 2;
  with.epochs = std::numeric_limits<std::int64_t>::max();
  EXPECT_THROW(Trainer(context_, data_, with), InputError);
  with.steps = 9;
  Trainer trainer(context_, data_, with);
  EXPECT_EQ(trainer.total_steps(), 9);
  Recorder recorder;
  trainer.run(recorder);
  EXPECT_EQ(trainer.state().step, 9);
  with.epochs /= trainer.steps_per_epoch();
  with.steps = 0;
  EXPECT_EQ(Trainer(context_, data_, with).total_steps(), with.epochs * trainer.steps_per_epoch());
}

TEST_F(TrainerTest, RunsOutOfPatience) {
  TrainerOptions with = options(OptimizerKind::sgd);
  with.schedule.lr = 0;  // never better than the first epoch
  with.epochs = 10;
  with.patience = 3;
  Trainer trainer(context_, data_, with);
  Recorder recorder;
  trainer.run(recorder);
  EXPECT_EQ(recorder.epochs.size(), 4U);
}

TEST_F(TrainerTest, TheSameSeedGivesTheSameBits) {
  const auto train = [&](std::uint64_t seed) {
    TrainerOptions with = options(OptimizerKind::adamw);
    with.batch_size = 3;
    with.epochs = 4;
    with.seed = seed;
    Trainer trainer(context_, data_, with);
    Recorder recorder;
    trainer.run(recorder);
    context_.compute().synchronize();
    const auto* w = trainer.model().weights().as<float>();
    return std::vector<float>(w, w + trainer.model().weights().size);
  };
  const auto first = train(1);
  EXPECT_EQ(first, train(1));
  EXPECT_NE(first, train(2));
}

/// One weight of the first layer that is not finite, in a network of any activation: the first step tells.
TEST_F(TrainerTest, DivergenceIsToldAtTheStepAtWhichItBegins) {
  for (const Activation activation :
       {Activation::identity, Activation::relu, Activation::gelu, Activation::tanh, Activation::sigmoid}) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        TrainerOptions with = options(OptimizerKind::sgd);
        with.model.activation = activation;
        with.model.product_type = type;
        with.batch_size = 2;  // on more ranks than two, some without rows
        with.epochs = 3;
        Trainer trainer(context_, data_, with);
        const auto spoil = [&](VectorView weights) {
          const Buffer host = Buffer::on_host(*device_, DataType::f32, 1);
          *host.view().as<float>() = bad;
          const MatrixView element = as_matrix(weights.range(4, 5), 1, 1);
          const Buffer value(*device_, DataType::f32, 1);
          device_->copy(context_.compute(), value.view(), host.view());
          context_.math().cast(context_.compute(), value.matrix(1, 1), element);
          context_.compute().synchronize();
        };
        spoil(trainer.model().weights());
        if (type == DataType::bf16) spoil(trainer.model().rounded_weights());
        Recorder recorder;
        try {
          trainer.run(recorder);
          FAIL() << "activation " << static_cast<int>(activation) << ": " << bad << " was not told";
        } catch (const InputError& error) {
          EXPECT_NE(std::string(error.what()).find("training diverged at step 1: "), std::string::npos) << error.what();
          EXPECT_NE(std::string(error.what()).find(", which began in "), std::string::npos) << error.what();
          EXPECT_NE(std::string(error.what()).find("layers.0"), std::string::npos) << error.what();
        }
        EXPECT_LE(recorder.steps.size(), 1U);
        EXPECT_TRUE(recorder.epochs.empty());
      }
    }
  }
}

/// A decay that multiplies each weight by some -1e9 a step, from 0.1 to 1 in the beginning: beyond f32 after five
/// steps, while tanh keeps the hidden values at 1 and the loss finite.
TEST_F(TrainerTest, WeightsThatOverflowAreToldThoughTheLossIsFinite) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
    TrainerOptions with = options(kind);
    with.model.activation = Activation::tanh;
    with.epochs = 9;
    with.schedule.lr = 1;
    with.optimizer.weight_decay = 1e9;
    Trainer trainer(context_, data_, with);
    Recorder recorder;
    try {
      trainer.run(recorder);
      FAIL() << "it was not told";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what())
                    .find("training diverged at step 5: a weight or bias is NaN or infinite after it, "
                          "which began in layers."),
                std::string::npos)
          << error.what();
    }
    ASSERT_EQ(recorder.steps.size(), 5U);
    for (const StepRecord& step : recorder.steps) EXPECT_TRUE(std::isfinite(step.train_loss));
  }
}

TEST(ScheduleTest, WarmsUpThenFalls) {
  const RateSchedule cosine{.kind = ScheduleKind::cosine, .lr = 2, .warmup = 4, .steps = 24};
  EXPECT_DOUBLE_EQ(cosine.at(0), 0.5);
  EXPECT_DOUBLE_EQ(cosine.at(3), 2);
  EXPECT_DOUBLE_EQ(cosine.at(4), 2);
  EXPECT_NEAR(cosine.at(14), 1, 1e-12);
  EXPECT_NEAR(cosine.at(24), 0, 1e-12);
  const RateSchedule steps{.kind = ScheduleKind::step, .lr = 1, .steps = 30};
  EXPECT_DOUBLE_EQ(steps.at(9), 1);
  EXPECT_NEAR(steps.at(10), 0.1, 1e-12);
  EXPECT_NEAR(steps.at(29), 0.01, 1e-12);
  EXPECT_DOUBLE_EQ((RateSchedule{.kind = ScheduleKind::constant, .lr = 3, .steps = 9}).at(8), 3);
}

}  // namespace
}  // namespace recombine
