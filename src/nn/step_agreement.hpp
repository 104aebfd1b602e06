#pragma once

#include <array>
#include <cstdint>

#include "distributed/communicator.hpp"

namespace recombine {

/// Ranks tell each other a few numbers after each step, and learn the largest of each a step later: so no rank waits
/// for another.
///
///     rank 0   step 1 | send 0 .             step 2 | send 0, read max(0, 7) of step 1
///     rank 1   step 1 | send 7 .             step 2 | send 7, read max(0, 7) of step 1
class StepAgreement {
 public:
  using Words = std::array<std::int64_t, 4>;

  /// @param world all ranks  @param stream with StreamUse::host; the only one with calls of `world`
  StepAgreement(Communicator& world, Stream& stream) : world_(world), stream_(stream) {}
  StepAgreement(const StepAgreement&) = delete;
  StepAgreement& operator=(const StepAgreement&) = delete;

  /// Sends `own`, and returns the largest words of all ranks in the exchange before; zeros in the first exchange. Every
  /// rank calls it.
  Words exchange(const Words& own);

 private:
  Communicator& world_;
  Stream& stream_;
  std::array<Words, 2> sent_{};  ///< of this exchange and the one before
  Event arrived_;                ///< of the exchange before; null: there was none
  std::size_t at_ = 0;
};

}  // namespace recombine
