#include "src/nn/fingerprint.hpp"

#include <bit>

#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

// Wide enough for each rank to have a part of the first weight on every mesh of up to 9 ranks.
const ModelShape kShape{.inputs = 11, .hidden = {9, 6}, .outputs = 3};

class FingerprintTest : public ::testing::Test {
 protected:
  template <class Check>
  void for_each_mesh(const Check& check) {
    const int np = world_->size();
    for (int i = 1; i <= np; ++i) {
      for (int j = 1; j <= np / i; ++j) {
        if (np % (i * j) != 0) continue;
        SCOPED_TRACE(Mesh(i, j, np / (i * j)).to_string());
        RankContext context(Mesh(i, j, np / (i * j)), *world_, *device_, test::collectives());
        check(context);
      }
    }
  }
  /// Changes one bit of this rank's first weight.
  void flip_a_bit(RankContext& context, const Model& model) {
    const VectorView first = model.weights().range(0, 1);
    float value = 0;
    device_->copy(context.compute(), vector_view(&value, 1), first);
    context.compute().synchronize();
    value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ 1U);
    device_->copy(context.compute(), first, vector_view(&value, 1));
    context.compute().synchronize();
  }

  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::host);
};

TEST_F(FingerprintTest, EveryMeshGivesThatOfOneRank) {
  const auto one_device = test::make_test_device();
  const auto single = world_->split(world_->rank(), 0);
  const auto one_stream = one_device->make_stream(StreamUse::host);
  RankContext one(Mesh(1, 1, 1), *single, *one_device);
  const std::uint64_t expected = weights_fingerprint(one, *single, *one_stream, Model(one, kShape, 4, 5));
  EXPECT_NE(expected, weights_fingerprint(one, *single, *one_stream, Model(one, kShape, 4, 6)));
  for_each_mesh([&](RankContext& context) {
    EXPECT_EQ(weights_fingerprint(context, *world_, *stream_, Model(context, kShape, 4, 5)), expected);
  });
}

/// The last rank's copy of layers.0.weight changes by one bit.
TEST_F(FingerprintTest, ABitFlippedInOneReplicaIsFound) {
  for_each_mesh([&](RankContext& context) {
    const Model model(context, kShape, 4, 5);
    const std::uint64_t before = weights_fingerprint(context, *world_, *stream_, model);
    if (world_->rank() == world_->size() - 1) flip_a_bit(context, model);
    if (context.mesh().extent(Axis::i) == 1) {  // no other rank has a copy
      EXPECT_NE(weights_fingerprint(context, *world_, *stream_, model), before);
      return;
    }
    try {
      weights_fingerprint(context, *world_, *stream_, model);
      ADD_FAILURE() << "a flipped bit was not found";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("layers.0.weight"), std::string::npos) << error.what();
    }
  });
}

}  // namespace
}  // namespace recombine
