#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace recombine {

/// One control group's limits; infinity: none.
struct CgroupLimit {
  std::string group;  ///< its folder, the same text for every process of it
  double cpus = 0;    ///< quota / period: cores' worth of time
  double memory = 0;  ///< bytes
};

/// This process's control groups and all groups around them, as far as they are mounted; cgroup v1, v2, or both at
/// once. See the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst. Empty if there are none.
/// @param root  in front of /proc and of the mount points; for tests
std::vector<CgroupLimit> cgroup_limits(const std::string& root = "");

/// How often the kernel has killed a process of this process's own group because memory ran out; 0 if it does not tell.
std::int64_t cgroup_oom_kills(const std::string& root = "");

}  // namespace recombine
