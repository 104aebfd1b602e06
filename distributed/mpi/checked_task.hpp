#pragma once

#include <memory>
#include <string>
#include <vector>

#include <mpi.h>

#include "distributed/exchange_pieces.hpp"
#include "distributed/observe/signature.hpp"
#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::mpi {

/// Compares the calls of a group's ranks over MPI while the operation itself runs. The comparison is an all_reduce of
/// 16 bytes on a separate communicator, so it also completes if the operation fails or blocks.
class CallChecker {
 public:
  /// Duplicates `comm`. Blocks; every rank of `comm` calls it.
  explicit CallChecker(MPI_Comm comm);
  ~CallChecker();
  CallChecker(const CallChecker&) = delete;
  CallChecker& operator=(const CallChecker&) = delete;

  /// A task that is done once all ranks make this call. If one does not, the task throws an Error, and so does every
  /// later check of the group.
  std::unique_ptr<cpu::Task> check(const Signature& call);
  /// The same for an exchange. Each rank also compares its traffic with the traffic that the other ranks expect.
  std::unique_ptr<cpu::Task> check_exchange(const Signature& call, std::vector<PeerTraffic> traffic);

  /// The ranks that compare.
  struct Group {
    MPI_Comm comm = MPI_COMM_NULL;
    int rank = 0;
    std::vector<int> ranks;  ///< the ranks' numbers in the job
    std::string failure;     ///< the first error; every later call fails with it
  };

 private:
  Group group_;
};

/// Runs `operation` and `check` at the same time; done once both are done. An error of `operation` waits for the check:
/// if calls do not match, MPI fails too, but only the check gives the reason.
std::unique_ptr<cpu::Task> checked_task(std::unique_ptr<cpu::Task> check, std::unique_ptr<cpu::Task> operation);

}  // namespace recombine::mpi
