#pragma once

#include <vector>

#include "distributed/session.hpp"

namespace recombine {

/// One core for each thread, unless there are more threads than cores. A benchmark expects to be the host's only job.
inline std::vector<int> cores_if_enough(const Session& session, int threads) {
  const auto cores = static_cast<int>(session.host_share().bound().size());
  return cores_for(session, threads, session.local_size() * threads <= cores ? Bind::cores : Bind::none);
}

}  // namespace recombine
