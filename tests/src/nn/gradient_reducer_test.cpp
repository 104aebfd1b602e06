#include "src/nn/gradient_reducer.hpp"

#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "tests/support/math_test.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

class GradientReducerTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kSize = 1000;

  /// Sets elements [range) of the gradient to this rank's terms: element e of rank r is e + 1000 r.
  void complete(Range range) {
    std::vector<float> terms;
    for (std::int64_t e = range.begin; e < range.end; ++e) terms.push_back(term(e, world_->rank()));
    device_->copy(context_.compute(), gradient_.view().range(range.begin, range.end),
                  vector_view(terms.data(), range.size()));
  }
  static float term(std::int64_t element, int rank) { return static_cast<float>(element + 1000 * rank); }
  float sum(std::int64_t element) const {
    float sum = 0;
    for (int r = 0; r < world_->size(); ++r) sum += term(element, r);
    return sum;
  }
  /// How many elements of `range` are not the sum over the ranks.
  std::int64_t wrong(Range range) {
    std::vector<float> found(static_cast<std::size_t>(range.size()));
    device_->copy(context_.compute(), vector_view(found.data(), range.size()),
                  gradient_.view().range(range.begin, range.end));
    context_.compute().synchronize();
    std::int64_t count = 0;
    for (std::int64_t e = range.begin; e < range.end; ++e) {
      count += found[static_cast<std::size_t>(e - range.begin)] != sum(e) ? 1 : 0;
    }
    return count;
  }

  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  RankContext context_{Mesh(world_->size(), 1, 1), *world_, *device_, test::collectives()};
  Buffer gradient_ = context_.communicator(Axis::i).allocate(*device_, DataType::f32, kSize, MemoryUse::buffers);
};

/// Each bucket is summed once, from the last to the first, however backward completes the gradient.
TEST_F(GradientReducerTest, SumsEveryBucketFromTheLastToTheFirst) {
  const std::vector<Range> buckets = {{700, 1000}, {300, 700}, {250, 300}, {0, 250}};
  GradientReducer reducer(context_, gradient_.view(), buckets);
  for (const std::vector<std::int64_t>& begins :
       {std::vector<std::int64_t>{0}, {700, 300, 250, 0}, {999, 650, 320, 10, 0}, {1000, 0, 0}}) {
    std::int64_t end = kSize;
    for (const std::int64_t begin : begins) {
      complete({begin, end});
      reducer.add({begin, end});
      end = begin;
    }
    std::vector<Range> summed;
    reducer.finish([&](Range range) {
      EXPECT_EQ(wrong(range), 0) << range.begin;
      summed.push_back(range);
    });
    EXPECT_EQ(summed, buckets);
  }
}

/// A bucket whose begin is not complete must not be posted: the sum would miss the last chunk's terms. A range that is
/// added before it is computed shows what that looks like.
TEST_F(GradientReducerTest, ABucketPostedBeforeItsLastChunkGivesAWrongSum) {
  if (world_->size() == 1) GTEST_SKIP() << "one rank has nothing to sum";
  GradientReducer reducer(context_, gradient_.view(), {{0, kSize}});
  complete({0, kSize});
  context_.math().axpby(context_.compute(), 0, {}, 0, gradient_.view().range(0, 100));  // not yet computed
  reducer.add({0, kSize});                                                              // the planted fault
  reducer.finish([](Range) {});
  EXPECT_EQ(wrong({100, kSize}), 0);
  EXPECT_EQ(wrong({0, 100}), 100);
}

TEST_F(GradientReducerTest, RefusesGapsAndBucketsThatDoNotCover) {
  GradientReducer reducer(context_, gradient_.view(), {{500, 1000}, {0, 500}});
  EXPECT_THROW(reducer.add({0, 900}), Error);
  EXPECT_THROW(reducer.finish([](Range) {}), Error);  // nothing was added
  EXPECT_THROW(GradientReducer(context_, gradient_.view(), {{500, 1000}}), Error);
  EXPECT_THROW(GradientReducer(context_, gradient_.view(), {{0, 500}, {500, 1000}}), Error);
}

}  // namespace
}  // namespace recombine
