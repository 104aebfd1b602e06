#include <array>
#include <cfloat>
#include <cmath>
#include <iostream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "distributed/matmul/planner.hpp"
#include "src/nn/trainer.hpp"
#include "tests/support/math_test.hpp"
#include "tests/support/pairwise.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/recorder.hpp"
#include "tests/support/reference_gradient.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kRows = 67;
constexpr std::int64_t kSteps = 20;

struct Widths {
  std::int64_t inputs;
  std::vector<std::int64_t> hidden;
  std::int64_t outputs;
};

using test::Recorder;

/// Largest differences of results on a mesh: an element of the gradient, from the reference, relative to the magnitude
/// of its terms; the norm of the first gradient, from the reference; losses, norms and correct rows, from one rank's.
struct Tolerance {
  double element, first_norm, loss, norm, rows;
};
/// A sum in another order can put an input of relu on the other side of 0. Then the gradient jumps, and AdamW moves the
/// weights by up to the learning rate. On one machine, losses differed by 1.4e-4 after 16 steps; with tanh, by 4e-7.
Tolerance tolerance_of(const ModelShape& model) {
  const double loss = model.activation == Activation::relu ? 1e-3 : 1e-4;
  if (model.product_type == DataType::f32) return {32 * FLT_EPSILON, 1e-5, loss, 1e-3, 1.01};
  return {0x1p-12, 0x1p-7, 1e-2, 0x1p-5, 3.01};  // an element's terms have a much larger magnitude than their sum
}

LoadedData data_for(const Widths& widths, LossKind loss) {
  LoadedData data{.name = "random", .classes = loss == LossKind::mse ? 0 : widths.outputs};
  data.train = {.rows = kRows, .inputs = widths.inputs, .features = test::random_values(kRows * widths.inputs, 100)};
  if (loss == LossKind::mse) {
    data.train.outputs = widths.outputs;
    data.train.targets = test::random_values(kRows * widths.outputs, 101);
  } else {
    for (std::int64_t r = 0; r < kRows; ++r)
      data.train.labels.push_back(static_cast<std::int32_t>(r * 7 % widths.outputs));
  }
  return data;
}

/// One network and its training: on every mesh, and alone.
class MeshTrainingTest : public ::testing::Test {
 protected:
  std::vector<float> to_host(RankContext& context, VectorView values) {
    std::vector<float> host(static_cast<std::size_t>(values.size));
    context.device().copy(context.compute(), vector_view(host.data(), values.size), values);
    context.compute().synchronize();
    return host;
  }

  /// The initial weights, which do not depend on the mesh, and their gradient for the first batch in plain loops.
  test::ReferenceGradient reference(const LoadedData& data, const TrainerOptions& options, const Permutation& order) {
    const Model model(alone_, options.model, 1, options.seed);
    const std::vector<float> weights = to_host(alone_, model.weights());
    const test::ReferenceNetwork network{options.model, options.loss, {weights.begin(), weights.end()}};
    std::vector<double> x, answers;
    const LoadedTable& table = data.train;
    for (std::int64_t b = 0; b < options.batch_size; ++b) {
      const std::int64_t row = order(b);
      for (std::int64_t c = 0; c < table.inputs; ++c) {
        x.push_back(table.features[static_cast<std::size_t>(row * table.inputs + c)]);
      }
      if (options.loss == LossKind::cross_entropy) answers.push_back(table.labels[static_cast<std::size_t>(row)]);
      for (std::int64_t c = 0; c < table.outputs; ++c) {
        answers.push_back(table.targets[static_cast<std::size_t>(row * table.outputs + c)]);
      }
    }
    return test::backpropagated(network, x, answers);
  }

  /// Options of a training run, and the results of one rank, which every mesh must reproduce.
  struct Case {
    LossKind loss = LossKind::cross_entropy;
    TrainerOptions options;
    test::ReferenceGradient gradient;  ///< of the first step
    Recorder steps;
    Score score;
  };

  SharedData shared(const Case& one) {
    const ModelShape& model = one.options.model;
    return {test::session(), *world_, *stream_, [&] {
              return data_for({model.inputs, model.hidden, model.outputs}, one.loss);
            }};
  }

  void compute_alone(Case& one) {
    const ModelShape& model = one.options.model;
    one.gradient = reference(data_for({model.inputs, model.hidden, model.outputs}, one.loss), one.options,
                             Permutation(kRows, one.options.seed, 1));
    const SharedData data = shared(one);
    Trainer trainer(alone_, data, one.options);
    trainer.run(one.steps);
    one.score = trainer.evaluate(trainer.train_table());
    ASSERT_EQ(one.steps.steps.size(), static_cast<std::size_t>(kSteps));
  }

  void expect_on(const Mesh& mesh, const Case& one) {
    const TrainerOptions& options = one.options;
    SCOPED_TRACE(fmt::format("mesh {}, {}, batch {}, activation {}, loss {}, {}, optimizer {}, clip {}",
                             mesh.to_string(), options.model.to_string(), options.batch_size,
                             static_cast<int>(options.model.activation), static_cast<int>(one.loss),
                             options.model.bias == Bias::none ? "no bias" : "bias",
                             static_cast<int>(options.optimizer.kind), options.optimizer.clip_norm));
    const SharedData data = shared(one);
    RankContext context(mesh, *world_, *device_, test::collectives());
    {
      Trainer trainer(context, data, options);
      trainer.step(Permutation(kRows, options.seed, 1), {0, options.batch_size});
      expect_gradient(context, trainer.model(), one.gradient);
      trainer.discard_losses();
    }
    Recorder on_mesh;
    Trainer trainer(context, data, options);
    trainer.run(on_mesh);
    expect_steps(on_mesh.steps, one);
    const Score score = trainer.evaluate(trainer.train_table());
    const Tolerance tolerance = tolerance_of(options.model);
    EXPECT_NEAR(score.loss, one.score.loss, tolerance.loss * one.score.loss);
    if (one.loss == LossKind::cross_entropy) {
      EXPECT_NEAR(score.accuracy, one.score.accuracy, tolerance.rows / kRows);
    }
  }

  /// The losses and the norms of the gradient are those of one rank; the first norm is that of the reference.
  static void expect_steps(const std::vector<StepRecord>& steps, const Case& one) {
    ASSERT_EQ(steps.size(), one.steps.steps.size());
    double squares = 0;
    for (const double element : one.gradient.values) squares += element * element;
    const Tolerance tolerance = tolerance_of(one.options.model);
    EXPECT_NEAR(*steps[0].gradient_norm, std::sqrt(squares), tolerance.first_norm * std::sqrt(squares));
    for (std::size_t s = 0; s < steps.size(); ++s) {
      const StepRecord& expected = one.steps.steps[s];
      ASSERT_NEAR(steps[s].train_loss, expected.train_loss, tolerance.loss * expected.train_loss) << s;
      ASSERT_NEAR(*steps[s].gradient_norm, *expected.gradient_norm, tolerance.norm * *expected.gradient_norm) << s;
    }
  }

  void print_worst(std::size_t cases, std::size_t meshes) const {
    if (world_->rank() != 0) return;
    std::cout << cases << " cases on " << meshes << " meshes; largest error of a gradient: " << worst_
              << " of what is allowed\n";
  }

  /// Expects each element of this rank's gradient to be that of the reference, except for rounding.
  void expect_gradient(RankContext& context, const Model& model, const test::ReferenceGradient& expected) {
    const std::vector<float> gradient = to_host(context, model.gradient());
    const ParameterLayout& layout = model.layout();
    double worst = 0;
    for (const TensorRectangle& part : layout.rectangles({0, layout.local_size()})) {
      const ParameterTensor& tensor = layout.tensors()[part.tensor];
      std::int64_t flat = part.flat.begin;
      for (std::int64_t r = part.rows.begin; r < part.rows.end; ++r) {
        for (std::int64_t c = part.cols.begin; c < part.cols.end; ++c, ++flat) {
          const auto p = static_cast<std::size_t>(tensor.file_begin + r * tensor.matrix.cols + c);
          const double error = std::abs(gradient[static_cast<std::size_t>(flat)] - expected.values[p]);
          const double bound = tolerance_of(model.shape()).element * expected.scales[p];
          ASSERT_LE(error, bound) << tensor.name << " element (" << r << ", " << c
                                  << "): " << gradient[static_cast<std::size_t>(flat)] << ", expected "
                                  << expected.values[p];
          if (bound > 0) worst = std::max(worst, error / bound);
        }
      }
    }
    worst_ = std::max(worst_, worst);
  }

  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Device> device_alone_ = test::make_test_device();
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Communicator> single_ = world_->split(world_->rank(), 0);
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::host);
  RankContext alone_{Mesh(1, 1, 1), *single_, *device_alone_};
  double worst_ = 0;
};

/// Every mesh of this many ranks, with pairs of widths, batches, activations, losses, optimizers and clipping: the
/// gradient of the first step, then the losses of 20 steps and the score.
TEST_F(MeshTrainingTest, EveryMeshTrainsAsOneRank) {
  static const std::vector<Widths> kWidths = {{5, {7, 13}, 10}, {300, {257, 64}, 3}};
  static const std::vector<std::int64_t> kBatches = {3, 64, 20};  // of 67 rows: the last batch is short
  static const std::vector<Activation> kActivations = {Activation::relu, Activation::gelu, Activation::tanh};
  static const std::vector<LossKind> kLosses = {LossKind::cross_entropy, LossKind::mse};
  static const std::vector<OptimizerKind> kOptimizers = {OptimizerKind::sgd, OptimizerKind::momentum,
                                                         OptimizerKind::adamw};
  const std::vector<Mesh> meshes = meshes_of(world_->size());
  const auto table = test::pairwise_table(
      {meshes.size(), kWidths.size(), kBatches.size(), kActivations.size(), kLosses.size(), 2, kOptimizers.size(), 2});
  // On an emulated GPU, a case takes many times as long.
  const std::size_t stride = test::device_kind() == DeviceKind::cuda ? 4 : 1;
  for (std::size_t at = 0; at < table.size(); at += stride) {
    const std::vector<std::size_t>& row = table[at];
    const Widths& widths = kWidths[row[1]];
    Case one{.loss = kLosses[row[4]]};
    one.options = {
        .model = {.inputs = widths.inputs,
                  .hidden = widths.hidden,
                  .outputs = widths.outputs,
                  .activation = kActivations[row[3]],
                  .bias = row[5] == 0 ? Bias::per_output : Bias::none},
        .loss = one.loss,
        .batch_size = kBatches[row[2]],
        .epochs = kSteps,
        .steps = kSteps,
        .norm_every = 1,
        .seed = 5,
        .optimizer = {.kind = kOptimizers[row[6]], .weight_decay = 0.01, .clip_norm = row[7] == 0 ? 0.0 : 0.1},
        .schedule = {.kind = ScheduleKind::constant, .lr = 0.01}};
    compute_alone(one);
    expect_on(meshes[row[0]], one);
  }
  print_worst(table.size() / stride, meshes.size());
}

/// Values in bf16. The activations are smooth: with relu, rounding a value near 0 could change a slope from 0 to 1.
TEST_F(MeshTrainingTest, EveryMeshTrainsInBf16) {
  const std::vector<Mesh> meshes = meshes_of(world_->size());
  std::size_t cases = 0;
  for (std::size_t m = 0; m < meshes.size(); ++m) {
    for (const Activation activation : {Activation::gelu, Activation::tanh}) {
      const bool gelu = activation == Activation::gelu;
      if (test::device_kind() == DeviceKind::cuda && gelu == (m % 2 == 0)) continue;  // the emulation is slow
      Case one{.loss = gelu ? LossKind::cross_entropy : LossKind::mse};
      const Widths widths = m % 2 == 0 ? Widths{20, {33, 64, 18}, 10} : Widths{5, {7, 13}, 3};
      one.options = {.model = {.inputs = widths.inputs,
                               .hidden = widths.hidden,
                               .outputs = widths.outputs,
                               .activation = activation,
                               .bias = m % 3 == 2 ? Bias::none : Bias::per_output,
                               .product_type = DataType::bf16},
                     .loss = one.loss,
                     .batch_size = gelu ? 64 : 20,
                     .epochs = kSteps,
                     .steps = kSteps,
                     .norm_every = 1,
                     .seed = 5,
                     .optimizer = {.kind = OptimizerKind::momentum},
                     .schedule = {.kind = ScheduleKind::constant, .lr = 0.01}};
      ++cases;
      compute_alone(one);
      expect_on(meshes[m], one);
    }
  }
  print_worst(cases, meshes.size());
}

/// The default network on every mesh, with a batch of 64 and a batch that is smaller than most numbers of ranks.
TEST_F(MeshTrainingTest, TheDefaultNetworkTrainsAsOnOneRank) {
  const bool emulated = test::device_kind() == DeviceKind::cuda;  // it is slow
  const std::int64_t inputs = emulated ? 49 : 784;
  const std::int64_t hidden = emulated ? 32 : 1024;
  std::array<Case, 2> cases;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    cases[c].loss = LossKind::cross_entropy;
    cases[c].options = {
        .model = {.inputs = inputs, .hidden = {hidden, hidden}, .outputs = 10},
        .batch_size = c == 0 ? 64 : 3,
        .epochs = kSteps,
        .steps = kSteps,
        .norm_every = 1,
        .seed = 6,
        .optimizer = {.kind = OptimizerKind::adamw, .weight_decay = 0.01, .clip_norm = c == 0 ? 0.5 : 0},
        .schedule = {.kind = ScheduleKind::constant, .lr = 0.0001}};
    compute_alone(cases[c]);
  }
  const std::vector<Mesh> meshes = meshes_of(world_->size());
  for (std::size_t m = 0; m < meshes.size(); ++m) expect_on(meshes[m], cases[m % cases.size()]);
  print_worst(meshes.size(), meshes.size());
}

}  // namespace
}  // namespace recombine
