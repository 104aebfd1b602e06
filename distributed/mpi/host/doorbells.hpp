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

/// The doorbells of a group's ranks, seen from one of them. None at all: then its tasks have to be polled.
class Doorbells {
 public:
  Doorbells() = default;
  Doorbells(std::size_t rank, std::vector<cpu::Doorbell*> all);

  cpu::Doorbell* own() const { return own_; }
  /// Wakes the others that sleep. After what they wait for has been written, by a sequentially consistent store.
  void ring() const {
    for (cpu::Doorbell* const bell : others_) bell->ring();
  }

 private:
  cpu::Doorbell* own_ = nullptr;
  std::vector<cpu::Doorbell*> others_;
};

/// A doorbell of each rank of this host, in memory that these share. One object a process, found through
/// MPI_COMM_WORLD; it outlives every stream and communicator.
class HostDoorbells {
 public:
  /// Blocks; every rank of `host_ranks`, those of this host, calls it. Where there is no such memory there are none.
  explicit HostDoorbells(MPI_Comm host_ranks);
  ~HostDoorbells();  ///< blocks likewise
  HostDoorbells(const HostDoorbells&) = delete;
  HostDoorbells& operator=(const HostDoorbells&) = delete;

  /// Those of ranks of this host, given by their numbers in the job; `rank`: the place of this one among them.
  static Doorbells of(std::size_t rank, std::span<const int> ranks_in_job);

 private:
  bool place(int rank, int size);

  std::optional<SharedWindow> window_;
  std::vector<int> ranks_;                 ///< of this host, as numbered in the job
  std::vector<cpu::Doorbell*> doorbells_;  ///< of the same
};

}  // namespace recombine::mpi
