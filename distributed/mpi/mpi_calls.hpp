#pragma once

#include <functional>
#include <memory>
#include <source_location>
#include <vector>

#include <mpi.h>

#include "distributed/communicator.hpp"
#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::mpi {

/// @throws Error with rank, host and call unless `code` is MPI_SUCCESS
void check(int code, const char* call, std::source_location place = std::source_location::current());

MPI_Datatype type_of(DataType type);        ///< @throws Error for types that MPI cannot add
MPI_Datatype moved_type_of(DataType type);  ///< for calls that only move elements; accepts any type
MPI_Op op_of(Reduction reduction);

/// For each rank of `comm`, its rank in the job (MPI_COMM_WORLD).
std::vector<int> ranks_in_job(MPI_Comm comm);

/// A task of nonblocking requests: the first advance() posts them; it is finished when all requests are complete.
std::unique_ptr<cpu::Task> request_task(std::function<void(std::vector<MPI_Request>&)> post);

}  // namespace recombine::mpi
