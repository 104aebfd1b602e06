#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <sched.h>

#include "distributed/cgroup.hpp"

namespace recombine {

/// Who gives each thread a core of its own: the launcher (then threads stay on the rank's cores), this program, nobody.
enum class Bind { automatic, cores, none };

/// What one rank tells the other ranks of its host; plain bytes.
struct HostRank {
  cpu_set_t cores;         ///< it may run on
  int launcher_cores = 0;  ///< its parent may run on
  static constexpr std::size_t kGroups = 64;
  std::array<std::uint64_t, kGroups> groups{};  ///< hashes of its control groups; 0: none
};
HostRank this_host_rank(const std::vector<CgroupLimit>& limits);

/// A rank's share of what its host offers. Ranks with the same core, or in the same control group, share it equally.
class HostShare {
 public:
  /// @param ranks   of this host, in order  @param rank  this one's index  @param limits  of this one
  HostShare(std::vector<HostRank> ranks, std::size_t rank, std::vector<CgroupLimit> limits);

  /// The cores that this rank may run on.
  std::vector<int> bound() const { return cores_of(ranks_[rank_]); }
  /// At least 1: as many threads as its cores, and its control groups' quotas, let run at once.
  int threads() const;
  /// The same if the launcher had not bound its ranks.
  int unbound_threads() const;
  /// Bytes, of `physical` ones.
  double memory(double physical) const;

  /// Whether the launcher has given this rank cores that no other rank of the host has.
  bool has_own_cores() const;
  /// A core for each of `threads`, apart from those of the host's other ranks; empty: threads are not to be pinned.
  /// @throws InputError if Bind::cores is asked for, and there are too few
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
