#include "distributed/collective.hpp"

namespace recombine {

std::string_view name_of(Collective collective) {
  switch (collective) {
    case Collective::all_gather: return "all_gather";
    case Collective::broadcast: return "broadcast";
    case Collective::shift: return "shift";
    case Collective::all_reduce: return "all_reduce";
    case Collective::reduce_scatter: return "reduce_scatter";
  }
  return "?";
}

double bytes_sent(Collective collective, int ranks, std::int64_t bytes) {
  if (ranks == 1) return 0;
  const double share = static_cast<double>(bytes) * (ranks - 1) / ranks;
  switch (collective) {
    case Collective::all_gather:
    case Collective::broadcast:
    case Collective::reduce_scatter: return share;
    case Collective::all_reduce: return 2 * share;
    case Collective::shift: return static_cast<double>(bytes);
  }
  return 0;
}

}  // namespace recombine
