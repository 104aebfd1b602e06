#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace recombine::test {

/// After each test the ranks exchange their failures. Rank 0 prints them all, and every rank counts the test as failed
/// if it failed on any rank.
class RankListener : public ::testing::EmptyTestEventListener {
 public:
  void OnTestPartResult(const ::testing::TestPartResult& result) override;
  void OnTestEnd(const ::testing::TestInfo& info) override;
  bool any_failed() const { return any_failed_; }

 private:
  std::string failures_;  ///< of this rank in this test
  bool any_failed_ = false;
};

}  // namespace recombine::test
