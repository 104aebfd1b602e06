#pragma once

#include <memory>

#include <mpi.h>

#include "distributed/communicator.hpp"
#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::mpi {

/// One step of an all_reduce by messages. Each view has one share per rank of the communicator (even_pieces); either
/// may be empty.
struct ShareStep {
  VectorView summed;    ///< the rank sums its share, in rank order: every other rank sends its terms
  VectorView gathered;  ///< summed by the step before: the rank sends its share to all, and receives theirs
  Reduction reduction;
  std::byte* terms;  ///< memory for size_of_terms() bytes; outlives the task
};
/// Bytes of the terms that a rank receives.
std::int64_t size_of_terms(MPI_Comm comm, VectorView summed);

/// With p ranks, a rank sends (p-1)/p of both views, and receives as much at the same time: no all_reduce moves less
/// (Chan, Heimlich, Purkayastha and van de Geijn 2007). Latency counts more for less than 64 KiB: MPI_Iallreduce sums
/// them at once, and the next step does not gather them.
///
/// A communicator runs one step at a time. All messages of a step are posted together, because Open MPI sends the
/// request for a long message after the data that already wait for the same connection: if steps overlapped, the two
/// directions would soon take turns. @throws Error for types that MPI cannot add
std::unique_ptr<cpu::Task> exchange_shares(MPI_Comm comm, const ShareStep& step);

}  // namespace recombine::mpi
