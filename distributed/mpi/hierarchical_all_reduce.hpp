#pragma once

#include <memory>

#include <mpi.h>

#include "distributed/mpi/host/host_exchange.hpp"

namespace recombine::mpi {

/// All-reduce over several hosts with `inside->size()` ranks each; `inside` is null if each has one. Every piece of the
/// data passes through four stages, which work on different pieces at the same time. Two hosts with two ranks each,
/// shares a and b of a piece, each with halves 0 and 1:
///
///     host 0   rank 0   sums a inside  |  sums a0 with rank 2  |  takes a1 from rank 2  |  takes b from rank 1
///              rank 1   sums b inside  |  sums b0 with rank 3  |  takes b1 from rank 3  |  takes a from rank 0
///     host 1   rank 2   sums a inside  |  sums a1 with rank 0  |  takes a0 from rank 0  |  takes b from rank 3
///              rank 3   sums b inside  |  sums b1 with rank 1  |  takes b0 from rank 1  |  takes a from rank 2
///
/// Between hosts, as many bytes travel as if each host were one rank, and both ways at the same time
/// (share_exchange.hpp). MPI_Iallreduce would first sum on one host, and then send the sum to the others (Open MPI 4.1,
/// in place). A sum is computed inside each host in rank order, then in the order of hosts; sums of less than 64 KiB over
/// the hosts are in MPI's order for that number of hosts.
/// @pre `largest_piece` fits in MPI's counts (int)
std::unique_ptr<cpu::Task> hierarchical_all_reduce(HostExchange* inside, MPI_Comm between, VectorView data,
                                                   Reduction reduction, std::int64_t largest_piece);

}  // namespace recombine::mpi
