#pragma once

#include <memory>

#include <mpi.h>

#include "distributed/mpi/host/host_exchange.hpp"

namespace recombine::mpi {

/// All-reduce over several hosts, `inside.size()` ranks on each: a piece at a time through three stages, which work
/// on different pieces at once. Two hosts of two ranks, shares a and b:
///
///     host 0   rank 0   sums a inside  |  all_reduce of a with rank 2  |  takes b from rank 1
///              rank 1   sums b inside  |  all_reduce of b with rank 3  |  takes a from rank 0
///     host 1   rank 2   sums a inside  |  all_reduce of a with rank 0  |  takes b from rank 3
///              rank 3   sums b inside  |  all_reduce of b with rank 1  |  takes a from rank 2
///
/// Between hosts every byte of the result travels as often as if each host were one rank. A sum is taken inside each
/// host in rank order, then over hosts as MPI does it for that number of them.
/// @pre pieces of `largest_piece` elements have a count that MPI can take
std::unique_ptr<cpu::Task> hierarchical_all_reduce(HostExchange& inside, MPI_Comm between, VectorView data,
                                                   Reduction reduction, std::int64_t largest_piece);

}  // namespace recombine::mpi
