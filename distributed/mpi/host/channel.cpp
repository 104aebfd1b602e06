#include "distributed/mpi/host/channel.hpp"

#include <algorithm>
#include <limits>

namespace recombine::mpi {

bool Channel::all_have(Counter counter, std::uint64_t& seen, std::uint64_t count) const {
  if (seen >= count) return true;
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const Segment* segment : segments_) {
    const std::uint64_t now = (segment->counters.*counter).load();
    if (now < count) return false;
    least = std::min(least, now);
  }
  seen = least;
  return true;
}

}  // namespace recombine::mpi
