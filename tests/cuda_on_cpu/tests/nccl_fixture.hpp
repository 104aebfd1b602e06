#pragma once

#include <gtest/gtest.h>

#include "tests/cuda_on_cpu/tests/device_array.hpp"
#include "tests/cuda_on_cpu/tests/ranks.hpp"

namespace emulated::test {

/// A rank's end of the communicator of all ranks, and a stream.
class Member {
 public:
  explicit Member(const Rank& rank) {
    if (ncclCommInitRank(&communicator_, rank.ranks, rank.id, rank.rank) != ncclSuccess)
      throw std::runtime_error(ncclGetLastError(nullptr));
  }
  ~Member() { ncclCommDestroy(communicator_); }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  operator ncclComm_t() const { return communicator_; }
  const Stream& stream() const { return stream_; }
  /// For tests that destroy or abort the communicator themselves.
  ncclComm_t release() { return std::exchange(communicator_, nullptr); }

 private:
  Stream stream_;
  ncclComm_t communicator_ = nullptr;
};

class NcclTest : public ::testing::TestWithParam<int> {
 protected:
  /// Runs `body` on GetParam() ranks.
  void expect_success(const std::function<void(const Rank&)>& body) {
    const Outcome outcome = run_ranks(GetParam(), body);
    EXPECT_TRUE(outcome.succeeded) << outcome.output;
  }
};

}  // namespace emulated::test
