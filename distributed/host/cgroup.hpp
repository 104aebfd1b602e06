#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace recombine {

/// The limits of one control group; infinity: no limit.
struct CgroupLimit {
  std::string group;  ///< its folder; the same text for every process of the group
  double cpus = 0;    ///< quota / period, in cores
  double memory = 0;  ///< bytes
};

/// The limits of this process's control groups and of all their ancestors that are mounted; cgroup v1, v2, or both. See
/// the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst. Empty if there are no groups.
/// @param root  prefix of /proc and of the mount points; for tests
std::vector<CgroupLimit> cgroup_limits(const std::string& root = "");

/// How many processes of this process's own group the kernel killed because memory ran out; 0 if it does not count.
std::int64_t cgroup_oom_kills(const std::string& root = "");

}  // namespace recombine
