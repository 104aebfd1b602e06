#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <sched.h>

#include "distributed/host/cgroup.hpp"

namespace recombine {

/// Whether threads are pinned, each to its own core: automatic (if the launcher gave each rank its own cores, or if the
/// host's only rank has a thread for each core), cores (always), none (never).
enum class Bind { automatic, cores, none };

/// What one rank sends to the other ranks of its host, as plain bytes.
struct HostRank {
  cpu_set_t cores;         ///< on which this rank may run
  int launcher_cores = 0;  ///< number of cores on which the launcher may run
  static constexpr std::size_t kGroups = 64;
  std::array<std::uint64_t, kGroups> groups{};  ///< hashes of its control groups; 0: none
};
HostRank this_host_rank(const std::vector<CgroupLimit>& limits);

/// A rank's share of its host's cores and memory. Ranks with a common core divide that core equally; ranks in a common
/// control group divide the group's limits equally.
class HostShare {
 public:
  /// @param ranks  all ranks of this host, in order  @param rank  index of this rank  @param limits  of this rank
  HostShare(std::vector<HostRank> ranks, std::size_t rank, std::vector<CgroupLimit> limits);

  /// The cores that this rank may run on.
  std::vector<int> bound() const { return cores_of(ranks_[rank_]); }
  /// Threads that can run at once on this rank's share of its cores and of the quotas; at least 1.
  int threads() const;
  /// The value that threads() would have if the launcher had not bound the ranks.
  int unbound_threads() const;
  /// This rank's share in bytes. @param physical  bytes of memory that the host has
  double memory(double physical) const;

  /// True if the launcher has given this rank cores that no other rank of the host has.
  bool has_own_cores() const;
  /// A core for each of `threads`, none of them used by other ranks of the host; empty: do not pin threads.
  /// @throws InputError for Bind::cores if there are too few cores
  std::vector<int> cores_for(int threads, Bind bind) const;

 private:
  static std::vector<int> cores_of(const HostRank& rank);
  double quota() const;
  std::size_t ranks_in(const CgroupLimit& limit) const;

  std::vector<HostRank> ranks_;
  std::size_t rank_;
  std::vector<CgroupLimit> limits_;
};

}  // namespace recombine
