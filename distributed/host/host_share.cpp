#include "distributed/host/host_share.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>

#include <unistd.h>

#include "kernels/error.hpp"

namespace recombine {

namespace {

/// A hash of the group, never 0: 0 means no group.
std::uint64_t id_of(const CgroupLimit& limit) { return std::hash<std::string>{}(limit.group) | 1U; }

bool has(const HostRank& rank, int core) { return CPU_ISSET(static_cast<std::size_t>(core), &rank.cores); }

}  // namespace

HostRank this_host_rank(const std::vector<CgroupLimit>& limits) {
  HostRank rank{};
  CPU_ZERO(&rank.cores);
  sched_getaffinity(0, sizeof rank.cores, &rank.cores);
  cpu_set_t launcher;
  CPU_ZERO(&launcher);
  const bool known = sched_getaffinity(getppid(), sizeof launcher, &launcher) == 0;
  rank.launcher_cores = std::max(CPU_COUNT(&rank.cores), known ? CPU_COUNT(&launcher) : 0);
  for (std::size_t g = 0; g < std::min(limits.size(), HostRank::kGroups); ++g) rank.groups[g] = id_of(limits[g]);
  return rank;
}

HostShare::HostShare(std::vector<HostRank> ranks, std::size_t rank, std::vector<CgroupLimit> limits)
    : ranks_(std::move(ranks)), rank_(rank), limits_(std::move(limits)) {}

std::vector<int> HostShare::cores_of(const HostRank& rank) {
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (has(rank, core)) cores.push_back(core);
  }
  return cores;
}

std::size_t HostShare::ranks_in(const CgroupLimit& limit) const {
  const auto inside = [&](const HostRank& rank) { return std::ranges::count(rank.groups, id_of(limit)) > 0; };
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ranges::count_if(ranks_, inside)));
}

double HostShare::quota() const {
  double least = std::numeric_limits<double>::infinity();
  for (const CgroupLimit& limit : limits_) least = std::min(least, limit.cpus / static_cast<double>(ranks_in(limit)));
  return least;
}

int HostShare::threads() const {
  double share = 0;
  for (const int core : bound()) {
    share += 1.0 / static_cast<double>(std::ranges::count_if(ranks_, [&](auto& rank) { return has(rank, core); }));
  }
  constexpr double kRounding = 1e-6;  // 1/3 + 1/3 + 1/3 must give 1 core, not 0.999...
  return std::max(1, static_cast<int>(std::min(share, quota()) + kRounding));
}

int HostShare::unbound_threads() const {
  const double share = ranks_[rank_].launcher_cores / static_cast<double>(ranks_.size());
  return std::max(1, static_cast<int>(std::min(share, quota())));
}

double HostShare::memory(double physical) const {
  double least = physical / static_cast<double>(ranks_.size());
  for (const CgroupLimit& limit : limits_) least = std::min(least, limit.memory / static_cast<double>(ranks_in(limit)));
  return least;
}

bool HostShare::has_own_cores() const {
  const HostRank& own = ranks_[rank_];
  for (std::size_t r = 0; r < ranks_.size(); ++r) {
    cpu_set_t common;
    CPU_AND(&common, &own.cores, &ranks_[r].cores);
    if (r != rank_ && CPU_COUNT(&common) > 0) return false;
  }
  // The only rank on a host may share its cores with other jobs, unless it has fewer cores than the launcher.
  return ranks_.size() > 1 || CPU_COUNT(&own.cores) < own.launcher_cores;
}

std::vector<int> HostShare::cores_for(int threads, Bind bind) const {
  const std::vector<int> mine = bound();
  // A rank that is alone on its host and runs a thread on each core finds no better place for a thread.
  const bool whole_host = ranks_.size() == 1 && mine.size() == static_cast<std::size_t>(threads);
  const bool own = whole_host || has_own_cores();
  if (bind == Bind::none || (bind == Bind::automatic && !own)) return {};
  // If all ranks have the same mask, each rank takes its own part of the cores, in rank order.
  const auto alike = [&](const HostRank& rank) { return CPU_EQUAL(&rank.cores, &ranks_[rank_].cores) != 0; };
  require_input(bind == Bind::automatic || own || std::ranges::all_of(ranks_, alike),
                "--bind cores: the launcher has given the ranks of this host cores that overlap in part; expected the "
                "same cores for all ranks or different cores for each, or --bind none");
  const auto wanted = static_cast<std::size_t>(threads);
  const std::size_t first = own ? 0 : rank_ * wanted;
  const std::size_t needed = own ? wanted : ranks_.size() * wanted;
  require_input(bind == Bind::automatic || needed <= mine.size(),
                "--bind cores: {} threads need as many cores, but only {} are allowed here; expected fewer --threads "
                "or ranks, or --bind none",
                needed, mine.size());
  if (needed > mine.size()) return {};
  const auto begin = mine.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + threads};
}

}  // namespace recombine
