#pragma once

#include <memory>

#include <mpi.h>

#include "distributed/mpi/host/host_exchange.hpp"

namespace recombine::mpi {

/// All-reduce over several hosts with `inside.size()` ranks each. Every piece of the data passes through three stages,
/// which work on different pieces at the same time. Two hosts with two ranks each, shares a and b:
///
///     host 0   rank 0   sums a inside  |  all_reduce of a with rank 2  |  takes b from rank 1
///              rank 1   sums b inside  |  all_reduce of b with rank 3  |  takes a from rank 0
///     host 1   rank 2   sums a inside  |  all_reduce of a with rank 0  |  takes b from rank 3
///              rank 3   sums b inside  |  all_reduce of b with rank 1  |  takes a from rank 2
///
/// Between hosts, as many bytes travel as if each host were one rank. A sum is computed inside each host in rank order,
/// then over the hosts in MPI's order for that number of hosts.
/// @pre `largest_piece` fits in MPI's counts (int)
std::unique_ptr<cpu::Task> hierarchical_all_reduce(HostExchange& inside, MPI_Comm between, VectorView data,
                                                   Reduction reduction, std::int64_t largest_piece);

}  // namespace recombine::mpi
