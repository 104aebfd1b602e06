#pragma once

#include "kernels/matrix.hpp"

namespace recombine::mpi {

// memcpy between data and a slot. glibc takes `rep movsb` for such lengths, which on some processors is three to ten
// times slower where both addresses have nearly the same last 12 bits; these are vector loads and stores.

/// Writes slots, by stores that go through the cache or past it. Which is better depends on where the ranks' cores
/// are: a store to a line that another core has just read waits until that core gives it up. Where this is quick, the
/// other core also reads quickly from this one's cache; where it is slow (cores that share no cache), stores past the
/// cache do not wait, and fill four times faster. So the first way is timed now and then, and left where it is slow.
class SlotWriter {
 public:
  void write(std::byte* slot, ConstVectorView from);

 private:
  void write_cached_and_time(std::byte* slot, ConstVectorView from);

  int until_timed_ = 0;
  enum class Way { cached, past_the_cache } way_ = Way::cached;
};

void take_from_slot(std::byte* to, ConstVectorView slot);

}  // namespace recombine::mpi
