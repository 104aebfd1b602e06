#include "src/nn/model.hpp"

#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "distributed/matmul/planner.hpp"
#include "kernels/error.hpp"
#include "src/nn/batch_loss.hpp"
#include "src/nn/device_table.hpp"
#include "src/nn/gradient_reducer.hpp"
#include "src/nn/optimizer.hpp"
#include "src/nn/step_ring.hpp"
#include "tests/support/math_test.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/reference_network.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

using test::random_values;
using test::view_of;

constexpr std::int64_t kRows = 11;  // of the table

class ModelTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::vector<float> features_ = random_values(kRows * 5, 100);
  std::vector<float> targets_ = random_values(kRows * 3, 101);
  std::vector<std::int32_t> labels_ = {0, 1, 2, 2, 1, 0, 0, 2, 1, 1, 2};
  std::vector<double> zeros_ = {0, 0};
  Table table_{.features = test::matrix_of(std::as_const(features_), kRows, 5),
               .labels = view_of(std::as_const(labels_)),
               .targets = test::matrix_of(std::as_const(targets_), kRows, 3)};

  const std::function<void(Range)> ignore_ = [](Range) {};

  static ModelShape shape(Activation activation, Bias bias) {
    return {.inputs = 5, .hidden = {7, 6}, .outputs = 3, .activation = activation, .bias = bias};
  }
  static std::vector<double> to_double(const std::vector<float>& v) { return {v.begin(), v.end()}; }

  /// The answers of the first `batch` rows, as the reference takes them.
  std::vector<double> answers(LossKind loss, std::int64_t batch) const {
    if (loss == LossKind::cross_entropy) return {labels_.begin(), labels_.begin() + batch};
    return {targets_.begin(), targets_.begin() + batch * 3};
  }
};

/// Every activation and loss, with and without bias, on all ranks of Px1x1; a batch of 2 leaves ranks without rows.
TEST_F(ModelTest, GradientsAgreeWithFiniteDifferences) {
  RankContext context(Mesh(world_->size(), 1, 1), *world_, *device_, test::collectives());
  const DeviceTable table(context, table_);
  for (const Activation activation :
       {Activation::identity, Activation::relu, Activation::gelu, Activation::tanh, Activation::sigmoid}) {
    for (const LossKind loss : {LossKind::mse, LossKind::cross_entropy}) {
      for (const Bias bias : {Bias::none, Bias::per_output}) {
        for (const std::int64_t batch : {std::int64_t{2}, kRows}) {
          Model model(context, shape(activation, bias), kRows, 5);
          const auto jitter = random_values(model.weights().size, 9);  // so that biases are not zero
          const Buffer noise = test::on_device(*device_, context.compute(), view_of(jitter));
          context.math().axpby(context.compute(), 0.3F, noise.view(), 1, model.weights());
          context.compute().synchronize();
          const auto* w = model.weights().as<float>();
          test::ReferenceNetwork reference{model.shape(), loss, {w, w + model.weights().size}};

          BatchLoader loader(context, kRows);
          GradientReducer reducer(context, model.gradient(),
                                  ParameterLayout(model.shape(), context.mesh(), context.coord(), 20, 30).buckets());
          const Buffer sums = test::on_device(*device_, context.compute(), view_of(zeros_));
          loader.load(table.table(), {}, model.begin_batch(batch), {});
          BatchLoss(context, model, kRows)
              .add(table.table(), loader, model.forward(),
                   {.kind = loss,
                    .batch_rows = batch,
                    .gradient = &model.output_gradient(),
                    .sums = reinterpret_cast<LossSums*>(sums.view().data)});
          model.backward({}, {.completed = [&](Range range) { reducer.add(range); }, .released = ignore_});
          std::int64_t summed = 0;
          reducer.finish([&](Range range) { summed += range.size(); });
          EXPECT_EQ(summed, model.weights().size);
          context.compute().synchronize();

          const std::vector<double> x = {features_.begin(), features_.begin() + batch * 5};
          const auto expected = reference.gradient(x, answers(loss, batch));
          for (std::size_t p = 0; p < expected.size(); ++p) {
            ASSERT_NEAR(model.gradient().as<float>()[p], expected[p], 2e-6 + 2e-5 * std::abs(expected[p]))
                << "parameter " << p << " activation " << static_cast<int>(activation) << " loss "
                << static_cast<int>(loss) << " batch " << batch;
          }
          auto& line = context.communicator(Axis::i);
          line.all_reduce(context.communication(Axis::i), sums.view(), Reduction::sum);
          context.communication(Axis::i).synchronize();
          const double mean = reference.mean_loss(x, answers(loss, batch));
          EXPECT_NEAR(sums.view().as<double>()[0] / static_cast<double>(batch), mean, 1e-5 * (1 + mean));
        }
      }
    }
  }
}

/// Operands in bf16 have 8 bits: sums of a few products are off by about 2^-8 of their terms, but not 0.
TEST_F(ModelTest, GradientsInBf16AreCloseToTheReference) {
  RankContext context(Mesh(world_->size(), 1, 1), *world_, *device_, test::collectives());
  const DeviceTable table(context, table_);
  for (const Activation activation : {Activation::relu, Activation::gelu}) {
    ModelShape rounded = shape(activation, Bias::per_output);
    rounded.product_type = DataType::bf16;
    Model model(context, rounded, kRows, 5);
    BatchLoader loader(context, kRows);
    loader.load(table.table(), {}, model.begin_batch(kRows), {});
    const Buffer sums = test::on_device(*device_, context.compute(), view_of(zeros_));
    BatchLoss(context, model, kRows)
        .add(table.table(), loader, model.forward(),
             {.kind = LossKind::mse,
              .batch_rows = kRows,
              .gradient = &model.output_gradient(),
              .sums = reinterpret_cast<LossSums*>(sums.view().data)});
    GradientReducer reducer(context, model.gradient(), model.layout().buckets());
    model.backward({}, {.completed = [&](Range range) { reducer.add(range); }, .released = ignore_});
    reducer.finish([](Range) {});
    context.compute().synchronize();
    const auto* w = model.weights().as<float>();
    const test::ReferenceNetwork reference{rounded, LossKind::mse, {w, w + model.weights().size}};
    const auto expected = reference.gradient(to_double(features_), answers(LossKind::mse, kRows));
    double error = 0;
    double norm = 0;
    for (std::size_t p = 0; p < expected.size(); ++p) {
      error += std::pow(static_cast<double>(model.gradient().as<float>()[p]) - expected[p], 2);
      norm += expected[p] * expected[p];
    }
    EXPECT_LT(std::sqrt(error / norm), 0x1p-6);
    EXPECT_GT(std::sqrt(error / norm), 0x1p-12);  // what was rounded shows
  }
}

/// The optimizer refuses a gradient that is still a term of the sum over i, and states say what each tensor is.
TEST_F(ModelTest, AStaleGradientIsRefused) {
  RankContext context(Mesh(world_->size(), 1, 1), *world_, *device_, test::collectives());
  Model model(context, shape(Activation::relu, Bias::per_output), kRows, 5);
  const DeviceTable table(context, table_);
  BatchLoader loader(context, kRows);
  const Buffer sums = test::on_device(*device_, context.compute(), view_of(zeros_));
  loader.load(table.table(), {}, model.begin_batch(kRows), {});
  BatchLoss(context, model, kRows)
      .add(table.table(), loader, model.forward(),
           {.batch_rows = kRows,
            .gradient = &model.output_gradient(),
            .sums = reinterpret_cast<LossSums*>(sums.view().data)});
  model.backward({}, {.completed = ignore_, .released = ignore_});
  StepRing ring(context);
  ring.push({.rates = OptimizerRates::at(1, 0.1)});
  ring.begin();
  Optimizer optimizer(context, model, {.kind = OptimizerKind::sgd}, ring.current());
  const std::int64_t size = model.gradient().size;
  EXPECT_THROW(optimizer.update(context.compute(), {0, size}), Error);
  model.set_summed(size / 2);
  EXPECT_NO_THROW(optimizer.update(context.compute(), {size / 2, size}));
  EXPECT_THROW(optimizer.update(context.compute(), {0, size / 2}), Error);
}

/// A layer whose inputs or outputs are cut: the sum comes first, then bias and activation.
class CutModelTest : public ModelTest {
 protected:
  void check(const Mesh& mesh, Activation activation) {
    SCOPED_TRACE(mesh.to_string());
    RankContext context(mesh, *world_, *device_, test::collectives());
    const ModelShape two_layers{.inputs = 5, .hidden = {7}, .outputs = 3, .activation = activation};
    Model model(context, two_layers, kRows, 5);
    const DistMatrix& x = model.begin_batch(kRows);
    context.compute().synchronize();
    for (const Block& block : x.blocks()) {
      for (std::int64_t i = 0; i < block.view.rows; ++i) {
        for (std::int64_t j = 0; j < block.view.cols; ++j) {
          block.view.as<float>()[i * block.view.ld + j] =
              features_[static_cast<std::size_t>((block.rows.begin + i) * 5 + block.cols.begin + j)];
        }
      }
    }
    const DistMatrix& y = model.forward();
    context.compute().synchronize();

    // A mesh of one rank gives the whole parameters: initial values do not depend on the mesh.
    const auto alone = test::make_test_device();
    const auto single = world_->split(world_->rank(), 0);
    RankContext one(Mesh(1, 1, 1), *single, *alone);
    Model whole(one, two_layers, kRows, 5);
    one.compute().synchronize();
    const auto* w = whole.weights().as<float>();
    test::ReferenceNetwork reference{two_layers, LossKind::mse, {w, w + whole.weights().size}};
    const auto outputs = reference.outputs(to_double(features_));
    expect_blocks(y, outputs, 3);

    // dLoss/dY of the squared error, then every local piece of dW: still Partial over i, so sum it.
    for (const Block& block : model.output_gradient().blocks()) set_gradient(block, outputs);
    model.backward({}, {.completed = ignore_, .released = ignore_});
    context.communication(Axis::i).wait(context.compute().record());
    context.communicator(Axis::i).all_reduce(context.communication(Axis::i), model.gradient(), Reduction::sum);
    context.communication(Axis::i).synchronize();
    const auto slopes = reference.gradient(to_double(features_), answers(LossKind::mse, kRows));
    const DistMatrix first(mesh, context.coord(), {7, 5}, {.rows = Axis::j, .cols = Axis::k}, local_tensor(model, 0));
    expect_blocks(first, {slopes.begin(), slopes.begin() + 35}, 5);
    const DistMatrix second(mesh, context.coord(), {3, 7}, {.rows = Axis::k, .cols = Axis::j}, local_tensor(model, 2));
    expect_blocks(second, {slopes.begin() + 42, slopes.begin() + 63}, 7);
  }

 private:
  static VectorView local_tensor(const Model& model, std::size_t tensor) {
    const Range range = model.layout().tensors()[tensor].range;
    return model.gradient().range(range.begin, range.end);
  }
  void set_gradient(const Block& block, const std::vector<double>& outputs) const {
    for (std::int64_t i = 0; i < block.view.rows; ++i) {
      for (std::int64_t j = 0; j < block.view.cols; ++j) {
        const auto at = static_cast<std::size_t>((block.rows.begin + i) * 3 + block.cols.begin + j);
        block.view.as<float>()[i * block.view.ld + j] =
            static_cast<float>(2 * (outputs[at] - targets_[at]) / 3 / kRows);
      }
    }
  }
  static void expect_blocks(const DistMatrix& m, const std::vector<double>& whole, std::int64_t cols) {
    for (const Block& block : m.blocks()) {
      for (std::int64_t i = 0; i < block.view.rows; ++i) {
        for (std::int64_t j = 0; j < block.view.cols; ++j) {
          ASSERT_NEAR(block.view.as<float>()[i * block.view.ld + j],
                      whole[static_cast<std::size_t>((block.rows.begin + i) * cols + block.cols.begin + j)], 1e-5);
        }
      }
    }
  }
};

TEST_F(CutModelTest, EveryMeshOfThisManyRanksGivesTheSame) {
  for (const Mesh& mesh : meshes_of(world_->size())) {
    check(mesh, Activation::relu);
    check(mesh, Activation::gelu);
  }
}

}  // namespace
}  // namespace recombine
