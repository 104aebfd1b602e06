#pragma once

#include <vector>

#include "distributed/session.hpp"

namespace recombine {

/// Benchmarks have the host to themselves: every thread gets a core, unless there are more threads than cores.
inline std::vector<int> cores_if_enough(const Session& session, int threads) {
  const auto cores = static_cast<int>(session.host_share().bound().size());
  return cores_for(session, threads, session.local_size() * threads <= cores ? Bind::cores : Bind::none);
}

}  // namespace recombine
