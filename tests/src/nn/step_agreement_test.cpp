#include "src/nn/step_agreement.hpp"

#include <gtest/gtest.h>

#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

TEST(StepAgreementTest, EveryRankLearnsTheLargestWordsOneStepLater) {
  const auto device = test::make_test_device(test::session().progress());
  const auto world = make_world(test::session());
  const auto stream = device->make_stream(StreamUse::host);
  StepAgreement agreement(*world, *stream);
  const std::int64_t last = world->size() - 1;
  const std::int64_t rank = world->rank();
  EXPECT_EQ(agreement.exchange({rank, -rank, 0, 7}), (StepAgreement::Words{0, 0, 0, 0}));
  EXPECT_EQ(agreement.exchange({0, 0, rank == last ? 5 : 0, 0}), (StepAgreement::Words{last, 0, 0, 7}));
  EXPECT_EQ(agreement.exchange({}), (StepAgreement::Words{0, 0, 5, 0}));
  EXPECT_EQ(agreement.exchange({}), (StepAgreement::Words{0, 0, 0, 0}));
}

}  // namespace
}  // namespace recombine
