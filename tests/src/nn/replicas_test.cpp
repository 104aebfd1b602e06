#include "src/nn/replicas.hpp"

#include <bit>

#include <gtest/gtest.h>

#include "distributed/matmul/planner.hpp"
#include "kernels/error.hpp"
#include "src/nn/optimizer.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

using ::testing::Test;

// Wide enough for each rank to have a part of the first weight on every mesh of up to 9 ranks.
const ModelShape kShape{.inputs = 11, .hidden = {9, 6}, .outputs = 3};

/// A model and its optimizer on one mesh. The moments are those of no training, but not zero.
struct Trained {
  Trained(RankContext& context, std::uint64_t seed, OptimizerKind kind = OptimizerKind::adamw)
      : model(context, kShape, 4, seed), optimizer(context, model, {.kind = kind}, nullptr) {
    const TrainedTensors all = optimizer.tensors();
    for (std::size_t n = all.layout.tensors().size(); n < all.size(); ++n) {
      const DistMatrix matrix = all.matrix(n);
      for (const Block& block : matrix.blocks()) {
        context.math().fill(context.compute(), block.view,
                            {.seed = seed,
                             .tensor = n,
                             .first_row = block.rows.begin,
                             .first_col = block.cols.begin,
                             .global_cols = matrix.cols(),
                             .half_width = 1});
      }
    }
  }
  Model model;
  Optimizer optimizer;
};

class ReplicasTest : public Test {
 protected:
  template <class Check>
  void for_each_mesh(const Check& check) {
    for (const Mesh& mesh : meshes_of(world_->size())) {
      SCOPED_TRACE(mesh.to_string());
      RankContext context(mesh, *world_, *device_, test::collectives());
      check(context);
    }
  }

  /// Changes one bit of the last element that this rank holds of a tensor.
  void flip_a_bit(RankContext& context, const DistMatrix& matrix) {
    const VectorView last = matrix.memory().range(matrix.memory().size - 1, matrix.memory().size);
    float value = 0;
    device_->copy(context.compute(), vector_view(&value, 1), last);
    context.compute().synchronize();
    value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ 1U);
    device_->copy(context.compute(), last, vector_view(&value, 1));
    context.compute().synchronize();
  }

  /// The message of the AgreedError; "" if there is none.
  static std::string error_of(RankContext& context, const TrainedTensors& tensors) {
    try {
      compare_replicas(context, tensors, 120);
    } catch (const AgreedError& error) {
      return error.what();
    }
    return "";
  }

  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
};

TEST_F(ReplicasTest, EveryMeshGivesTheFingerprintsOfOneRank) {
  const auto one_device = test::make_test_device();
  const auto single = world_->split(world_->rank(), 0);
  RankContext one(Mesh(1, 1, 1), *single, *one_device);
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adamw}) {
    const auto expected = compare_replicas(one, Trained(one, 5, kind).optimizer.tensors(), 1);
    EXPECT_NE(expected, compare_replicas(one, Trained(one, 6, kind).optimizer.tensors(), 1));
    for_each_mesh([&](RankContext& context) {
      const Trained trained(context, 5, kind);
      EXPECT_EQ(trained.optimizer.tensors().size(), expected.size());
      EXPECT_EQ(compare_replicas(context, trained.optimizer.tensors(), 1), expected);
    });
  }
}

/// The last rank's copy of each tensor changes by one bit.
TEST_F(ReplicasTest, ABitFlippedInOneCopyOfAnyTensorIsNamed) {
  const int last = world_->size() - 1;
  for_each_mesh([&](RankContext& context) {
    const Trained trained(context, 5);
    const TrainedTensors tensors = trained.optimizer.tensors();
    const auto before = compare_replicas(context, tensors, 1);
    for (std::size_t n = 0; n < tensors.size(); ++n) {
      int copies = 1;
      for (const Axis axis : kAxes) {
        copies *= tensors.parameter(n).placement.cuts(axis) ? 1 : context.mesh().extent(axis);
      }
      // Of tensors with few rows, some ranks hold nothing.
      const DistMatrix matrix = tensors.matrix(n);
      std::int64_t here = world_->rank() == last ? matrix.memory().size : 0;
      const auto stream = device_->make_stream(StreamUse::host);
      world_->all_reduce(*stream, vector_view(&here, 1), Reduction::max);
      stream->synchronize();
      if (here == 0) continue;
      if (world_->rank() == last) flip_a_bit(context, matrix);
      const std::string error = error_of(context, tensors);
      if (copies == 1) {
        EXPECT_EQ(error, "");
        EXPECT_NE(compare_replicas(context, tensors, 1), before);
      } else {
        const std::string name = tensors.name(n);
        EXPECT_TRUE(error.starts_with("step 120: " + name + (copies > 2 ? " on " : " differs between "))) << error;
        EXPECT_NE(error.find("rank " + std::to_string(last) + " on "), std::string::npos) << error;
        EXPECT_NE(error.find("; expected equal bits"), std::string::npos) << error;
      }
      if (world_->rank() == last) flip_a_bit(context, matrix);
      EXPECT_EQ(compare_replicas(context, tensors, 1), before);
    }
  });
}

TEST_F(ReplicasTest, EveryRankNamesTheSame) {
  RankContext context(Mesh(world_->size(), 1, 1), *world_, *device_, test::collectives());
  const Trained trained(context, 5);
  const TrainedTensors tensors = trained.optimizer.tensors();
  if (world_->rank() == 0) {
    for (std::size_t n = 0; n < tensors.size(); ++n) flip_a_bit(context, tensors.matrix(n));
  }
  const std::string error = error_of(context, tensors);
  if (world_->size() == 1) {  // there are no copies
    EXPECT_EQ(error, "");
    return;
  }
  const std::string names = "layers.0.weight, layers.0.bias, layers.1.weight, layers.1.bias and 14 more";
  EXPECT_TRUE(error.starts_with("step 120: " + names)) << error;
  const auto hash = static_cast<std::int64_t>(std::hash<std::string>()(error) >> 2U);
  std::int64_t largest = hash;
  const auto stream = device_->make_stream(StreamUse::host);
  world_->all_reduce(*stream, vector_view(&largest, 1), Reduction::max);
  stream->synchronize();
  EXPECT_EQ(hash, largest);
}

}  // namespace
}  // namespace recombine
