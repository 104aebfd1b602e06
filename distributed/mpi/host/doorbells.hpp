#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <mpi.h>

#include "distributed/mpi/shared_window.hpp"
#include "kernels/cpu/doorbell.hpp"

namespace recombine::mpi {

/// The doorbells of a group's ranks, for one of these ranks. If there are none, own() is null and the group's tasks
/// must be polled.
class Doorbells {
 public:
  Doorbells() = default;
  Doorbells(std::size_t rank, std::vector<cpu::Doorbell*> all);

  cpu::Doorbell* own() const { return own_; }
  /// Wakes the other ranks that sleep. Call it after a sequentially consistent store to the variable they wait for.
  void ring() const {
    for (cpu::Doorbell* const bell : others_) bell->ring();
  }

 private:
  cpu::Doorbell* own_ = nullptr;
  std::vector<cpu::Doorbell*> others_;
};

/// One doorbell per rank of this host, in memory that these ranks share. Each process has one HostDoorbells object, and
/// of() finds it as an attribute of MPI_COMM_WORLD. The object outlives every stream and communicator.
class HostDoorbells {
 public:
  /// Blocks; every rank of `host_ranks` (the ranks of this host) calls it. If one of them cannot map the others'
  /// memory, there are no doorbells.
  explicit HostDoorbells(MPI_Comm host_ranks);
  ~HostDoorbells();  ///< blocks; every rank of this host calls it
  HostDoorbells(const HostDoorbells&) = delete;
  HostDoorbells& operator=(const HostDoorbells&) = delete;

  /// The doorbells of some ranks of this host. @param rank index of this rank in `ranks_in_job`
  static Doorbells of(std::size_t rank, std::span<const int> ranks_in_job);

 private:
  bool place(int rank, int size);

  std::optional<SharedWindow> window_;
  std::vector<int> ranks_;                 ///< the ranks of this host, as numbered in the job
  std::vector<cpu::Doorbell*> doorbells_;  ///< of these ranks, in the same order
};

}  // namespace recombine::mpi
