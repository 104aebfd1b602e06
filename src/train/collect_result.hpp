#pragma once

#include "src/report/train_report.hpp"

namespace recombine {

/// Sums up the run over all ranks. Blocks; every rank calls it. @param last  the last epoch
RunResult collect_result(RankContext& context, const Trainer& trainer, const EpochRecord& last, Communicator& world,
                         Stream& stream);

/// For each use, the largest `own` of all ranks. Blocks; every rank calls it.
MemoryBytes largest_bytes(MemoryBytes own, Communicator& world, Stream& stream);

/// @param times  of every rank, in the order of the ranks. @pre !times.empty()
SlowestRank slowest_rank(const std::vector<TimeSpent>& times);

}  // namespace recombine
