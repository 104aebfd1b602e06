#pragma once

#include <functional>
#include <string>
#include <utility>

#include <nccl.h>

namespace emulated::test {

/// A rank of a test: a process of its own, with a device of its own.
struct Rank {
  int rank;
  int ranks;
  ncclUniqueId id;
};

/// What became of the ranks' processes.
struct Outcome {
  bool succeeded;      // all ended normally, and no expectation failed in any
  std::string output;  // what they wrote
};

/// Runs `body` in `ranks` processes. One that runs for longer than a minute has failed, and
/// ends; once one has failed, the others soon end too.
Outcome run_ranks(int ranks, const std::function<void(const Rank&)>& body);

}  // namespace emulated::test
