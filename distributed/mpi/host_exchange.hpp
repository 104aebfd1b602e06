#pragma once

#include <mpi.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "distributed/communicator.hpp"
#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::mpi {

/// Sums among the ranks of one host, through a shared window in which every rank has two slots. Per chunk:
///
///     rank r:   copy own chunk into slot r  |  sum share r of all slots, in rank order  |  copy all shares out
///               ----------------------- arrived ------------------------------------ reduced ------------- done
///
/// No rank calls MPI to move data: a chunk costs each rank one copy in, its share of the sum, and one copy out.
class HostExchange {
 public:
  /// Blocks; every rank of `comm` calls it. @pre all ranks of `comm` are on one host
  explicit HostExchange(MPI_Comm comm);
  ~HostExchange();
  HostExchange(const HostExchange&) = delete;
  HostExchange& operator=(const HostExchange&) = delete;

  std::unique_ptr<cpu::Task> all_reduce(VectorView data, Reduction reduction);

  static constexpr std::int64_t kChunkBytes = std::int64_t{1} << 20;

 private:
  class AllReduce;

  /// How many chunks a rank has brought, summed and taken, since the beginning. One cache line each.
  struct Counters {
    alignas(64) std::atomic<std::uint64_t> arrived;
    alignas(64) std::atomic<std::uint64_t> reduced;
    alignas(64) std::atomic<std::uint64_t> done;
  };
  struct Segment {
    Counters* counters;
    std::byte* slots;
  };

  bool all_reached(std::atomic<std::uint64_t> Counters::*counter, std::uint64_t count) const;
  std::byte* slot(std::size_t rank, std::uint64_t chunk) const {
    return segments_[rank].slots + static_cast<std::int64_t>(chunk % 2) * kChunkBytes;
  }

  MPI_Win window_ = MPI_WIN_NULL;
  std::size_t rank_ = 0;
  std::vector<Segment> segments_;  ///< one per rank
  std::uint64_t next_chunk_ = 0;
};

}  // namespace recombine::mpi
