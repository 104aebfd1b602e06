#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/host/host_share.hpp"
#include "kernels/device.hpp"

namespace recombine {

namespace mpi {
class HostDoorbells;
}

/// The process's membership in the job, from MPI_Init_thread to MPI_Finalize. main has one object.
class Session {
 public:
  /// MPI_Init_thread. @throws Error
  Session(int& argc, char**& argv);
  ~Session();  ///< MPI_Finalize
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  int local_rank() const { return local_rank_; }  ///< among the ranks of this host
  int local_size() const { return local_size_; }  ///< ranks on this host
  const std::string& host() const { return host_; }
  Progress progress() const { return progress_; }  ///< thread if MPI supports threads
  const HostShare& host_share() const { return *host_share_; }
  /// True if `mine` is true on every rank. Blocks; every rank calls it. @pre no communication stream has work
  bool on_every_rank(bool mine) const;

  /// Rank and host of this process, such as "rank 1 on node7". For error messages of code that has no Session.
  static std::string place();

  /// MPI_Wtime.
  static double now();

  /// Ends every rank of the job at once with `code`. Does not return.
  [[noreturn]] static void abort(int code);

 private:
  int rank_ = 0, size_ = 1, local_rank_ = 0, local_size_ = 1;
  std::string host_;
  std::optional<HostShare> host_share_;
  Progress progress_ = Progress::thread;
  std::unique_ptr<mpi::HostDoorbells> doorbells_;
};

/// The communicator of all ranks, for the host's memory, on streams of StreamUse::host.
std::unique_ptr<Communicator> make_world(Session& session);

/// Each rank's share of its host's memory, or of the limits of its control groups, in bytes; the smallest share of all
/// ranks. Blocks; every rank calls it. @pre no communication stream has work
double memory_share(const Session& session);

/// A core for each of this rank's `threads` (host_share.hpp); empty: threads are not pinned. Bind::automatic pins no
/// threads if the user has already set OMP_PROC_BIND or GOMP_CPU_AFFINITY. @throws InputError
std::vector<int> cores_for(const Session& session, int threads, Bind bind);

/// Runs `work` on rank 0. If it throws an InputError or Error, every rank throws it, so all ranks end in the same way.
/// @throws the exception of rank 0
void on_root(Communicator& world, Stream& stream, const std::function<void()>& work);

/// Runs `work` on every rank. If it throws on any rank, every rank throws, with the message of the lowest rank
/// that failed.
void agree(Communicator& world, Stream& stream, const std::function<void()>& work);
/// The same if there is no communicator yet. @pre no communication stream has work
void agree(Session& session, const std::function<void()>& work);

}  // namespace recombine
