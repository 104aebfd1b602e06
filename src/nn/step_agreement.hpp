#pragma once

#include <array>
#include <cstdint>

#include "distributed/communicator.hpp"

namespace recombine {

/// After each step, the ranks exchange a few numbers. Each rank gets the maximum over all ranks one step later, so no
/// rank waits for another.
///
///     rank 0   step 1 | send 0 .             step 2 | send 0, read max(0, 7) of step 1
///     rank 1   step 1 | send 7 .             step 2 | send 7, read max(0, 7) of step 1
class StepAgreement {
 public:
  using Words = std::array<std::int64_t, 4>;

  /// @param world all ranks  @param stream with StreamUse::host; no other stream may run collectives of `world`
  StepAgreement(Communicator& world, Stream& stream) : world_(world), stream_(stream) {}
  StepAgreement(const StepAgreement&) = delete;
  StepAgreement& operator=(const StepAgreement&) = delete;

  /// Starts an exchange of `own`, and returns the maxima of the previous exchange; zeros in the first call. Every rank
  /// calls it.
  Words exchange(const Words& own);

 private:
  Communicator& world_;
  Stream& stream_;
  std::array<Words, 2> sent_{};  ///< of this exchange and the previous one
  Event arrived_;                ///< of the previous exchange; null: there was none
  std::size_t at_ = 0;
};

}  // namespace recombine
