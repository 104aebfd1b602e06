#pragma once

#include <memory>
#include <string>
#include <vector>

#include <mpi.h>

#include "distributed/signature.hpp"
#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::mpi {

/// Compares what the ranks of a group call, over MPI. The comparison runs at the same time as the operation: 16 bytes
/// in an all_reduce of its own, on a communicator of its own, so that it gets through whatever the data does.
class CallChecker {
 public:
  /// A duplicate of `comm`. Blocks; every rank of `comm` calls it.
  explicit CallChecker(MPI_Comm comm);
  ~CallChecker();
  CallChecker(const CallChecker&) = delete;
  CallChecker& operator=(const CallChecker&) = delete;

  /// Done once all ranks are known to make this call; for send and recv: this rank's peer. For a shift, also that the
  /// lengths fit. Throws Error otherwise, and then also for every call that follows.
  std::unique_ptr<cpu::Task> check(const Signature& call);

  /// The ranks that compare.
  struct Group {
    MPI_Comm comm = MPI_COMM_NULL;
    int rank = 0;
    std::vector<int> ranks;  ///< their numbers in the job
    std::string failure;     ///< after which nothing goes on
  };

 private:
  Group group_;
};

/// Carries out `operation` while `check` runs; done once both are. What `operation` throws waits for the check, since
/// calls that do not fit make MPI fail too, without saying why.
std::unique_ptr<cpu::Task> checked_task(std::unique_ptr<cpu::Task> check, std::unique_ptr<cpu::Task> operation);

}  // namespace recombine::mpi
