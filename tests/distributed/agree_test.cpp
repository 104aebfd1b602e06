#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "distributed/communicator.hpp"
#include "distributed/session.hpp"
#include "kernels/error.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

class AgreeTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::communication);
  std::unique_ptr<Communicator> world_ = make_world(test::session());
};

TEST_F(AgreeTest, EveryRankThrowsTheErrorOfTheLowestFailingRank) {
  const int last = world_->size() - 1;
  const auto work = [&] {
    if (world_->rank() >= last / 2) throw InputError(fmt::format("file {} is bad", world_->rank()));
  };
  try {
    agree(*world_, *stream_, work);
    FAIL() << "agree() did not throw";
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()), fmt::format("file {} is bad", last / 2));
  }
}

TEST_F(AgreeTest, EveryRankThrowsTheSameTypeOfError) {
  EXPECT_THROW(on_root(*world_, *stream_, [] { throw InputError("x"); }), InputError);
  try {
    on_root(*world_, *stream_, [] { throw Error("y"); });
    FAIL();
  } catch (const InputError&) {
    FAIL() << "became an InputError";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "y");
  }
}

TEST_F(AgreeTest, ThrowsNothingIfNoRankFails) {
  EXPECT_NO_THROW(agree(*world_, *stream_, [] {}));
}

}  // namespace
}  // namespace recombine
