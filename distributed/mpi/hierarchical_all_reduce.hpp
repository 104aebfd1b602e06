#pragma once

#include <memory>

#include <mpi.h>

#include "distributed/mpi/host/host_exchange.hpp"

namespace recombine::mpi {

/// All-reduce over several hosts with `inside->size()` ranks each. If `inside` is null, each rank counts as one host.
/// The data is cut into pieces. Every piece passes through four stages, which work on different pieces at the same
/// time. For example, a piece on two hosts with two ranks each: it has one part per rank of a host (a, b), and each
/// part has one share per host (a0, a1; b0, b1).
///
///     host 0   rank 0   sums a inside  |  sums a0 with rank 2  |  gets a1 from rank 2  |  gets b from rank 1
///              rank 1   sums b inside  |  sums b0 with rank 3  |  gets b1 from rank 3  |  gets a from rank 0
///     host 1   rank 2   sums a inside  |  sums a1 with rank 0  |  gets a0 from rank 0  |  gets b from rank 3
///              rank 3   sums b inside  |  sums b1 with rank 1  |  gets b0 from rank 1  |  gets a from rank 2
///
/// A host sends as many bytes as one rank would in an all-reduce over the hosts, and links carry data in both
/// directions at the same time (share_exchange.hpp). MPI_Iallreduce in place (Open MPI 4.1) would first sum on one
/// host, and then send the sum to the others. Sums have a fixed order: inside each host that of the ranks, then that
/// of the hosts. MPI sums parts of less than 64 KiB over the hosts, in its order for that number of hosts.
/// @pre `largest_piece` fits in MPI's counts (int)
std::unique_ptr<cpu::Task> hierarchical_all_reduce(HostExchange* inside, MPI_Comm between, VectorView data,
                                                   Reduction reduction, std::int64_t largest_piece);

}  // namespace recombine::mpi
