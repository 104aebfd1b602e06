#pragma once

#include <functional>
#include <string>
#include <utility>

#include <nccl.h>

namespace emulated::test {

/// A rank of a test. Each rank is a process with its own device.
struct Rank {
  int rank;
  int ranks;
  ncclUniqueId id;
};

/// The result of the ranks' processes.
struct Outcome {
  bool succeeded;      // all ended normally, and no expectation failed in any
  std::string output;  // what they wrote
};

/// Runs `body` in `ranks` processes. A process that runs for more than a minute fails. If one fails, the others are
/// ended soon.
Outcome run_ranks(int ranks, const std::function<void(const Rank&)>& body);

}  // namespace emulated::test
