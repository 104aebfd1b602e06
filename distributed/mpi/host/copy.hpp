#pragma once

#include "kernels/matrix.hpp"

namespace recombine::mpi {

// memcpy between data and a slot, by vector loads and stores. For such lengths glibc uses `rep movsb`. On some
// processors this is three to ten times slower if the last 12 bits of both addresses are nearly the same.

/// Writes slots, by stores through the cache or by stores that bypass it. The faster way depends on the ranks' cores: a
/// store to a cache line that another core has just read waits until that core releases the line. If this is fast, the
/// other core also reads fast from this core's cache. If it is slow (cores that share no cache), stores that bypass the
/// cache do not wait, and fill four times faster. So cached stores are timed from time to time, and replaced if they
/// are slow.
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
