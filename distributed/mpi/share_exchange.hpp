#pragma once

#include <memory>

#include <mpi.h>

#include "distributed/communicator.hpp"
#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::mpi {

/// One step of an all_reduce by messages. Both views are cut into one share per rank of the communicator (even_pieces).
/// Either view may be empty.
struct ShareStep {
  VectorView summed;    ///< each rank receives the terms of its share from all others, and adds them in rank order
  VectorView gathered;  ///< `summed` of the step before: each rank sends the sum of its share to all others
  Reduction reduction;
  std::byte* terms;  ///< memory for the received terms: size_of_terms() bytes; must outlive the task
};
/// Bytes of the terms that this rank receives in a step. 0 if `summed` has less than 64 KiB.
std::int64_t size_of_terms(MPI_Comm comm, VectorView summed);

/// With p ranks, a rank sends (p-1)/p of each view, and receives as much at the same time: no all_reduce moves less
/// (Chan, Heimlich, Purkayastha and van de Geijn 2007). For a view of less than 64 KiB, latency costs more than bytes:
/// one MPI_Iallreduce gives all ranks the whole sum, and the next step has nothing to gather.
///
/// On a communicator, start a step only after the last one has finished. A step posts all its messages together,
/// because Open MPI queues the request for a long message after the data that already wait for the same connection: if
/// steps overlapped, the two directions of a link would soon take turns. @throws Error for types that MPI cannot add
std::unique_ptr<cpu::Task> exchange_shares(MPI_Comm comm, const ShareStep& step);

}  // namespace recombine::mpi
