#include "distributed/host/cgroup.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

namespace recombine {

namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

bool lists(const std::string& commas, const std::string& word) {
  return ("," + commas + ",").find("," + word + ",") != std::string::npos;
}

/// A mount of a cgroup hierarchy: `folder` is the mount point, `group` is the group that appears there.
struct Mount {
  std::string type, options, group, folder;
};

/// Reads lines "ID PARENT DEVICE GROUP FOLDER OPTIONS [FIELDS] - TYPE SOURCE OPTIONS"; see proc(5).
std::vector<Mount> mounts(const std::string& root) {
  std::vector<Mount> found;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    Mount mount;
    std::string skip;
    std::istringstream words(line);
    words >> skip >> skip >> skip >> mount.group >> mount.folder;
    while (words >> skip && skip != "-") {
    }
    words >> mount.type >> skip >> mount.options;
    if (mount.type.starts_with("cgroup")) found.push_back(mount);
  }
  return found;
}

/// This process's group in the hierarchy of `controller` ("" for v2). Reads lines "ID:CONTROLLERS:GROUP", cgroups(7).
std::optional<std::string> group_of(const std::string& root, const std::string& controller) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? controllers.empty() : lists(controllers, controller)) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// Folders of this process's group and of its ancestors, innermost first.
std::vector<std::string> folders_of(const std::string& root, const std::string& controller) {
  const std::optional<std::string> group = group_of(root, controller);
  if (!group) return {};
  for (const Mount& mount : mounts(root)) {
    const bool right =
        controller.empty() ? mount.type == "cgroup2" : mount.type == "cgroup" && lists(mount.options, controller);
    if (!right) continue;
    // A container may have only its own group at the mount point, while /proc still shows the group's path on the host.
    const std::string top = mount.group == "/" ? "" : mount.group;
    std::string below = group->starts_with(top + "/") ? group->substr(top.size()) : "";
    if (below.find("/..") != std::string::npos) below.clear();
    while (below.ends_with('/')) below.pop_back();
    const std::string mounted = root + mount.folder;
    std::vector<std::string> folders;
    for (;;) {
      folders.push_back(mounted + below);
      if (below.empty()) return folders;
      below.resize(below.rfind('/'));
    }
  }
  return {};
}

/// The number that the file contains; infinity if it contains "max" or does not exist.
double number_in(const std::string& path) {
  double value = kNone;
  std::ifstream file(path);
  return file >> value ? value : kNone;
}

/// The number of `key` in a file with lines "KEY NUMBER"; 0 without such a line.
std::int64_t value_of(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  std::int64_t value = 0;
  while (file >> word >> value) {
    if (word == key) return value;
  }
  return 0;
}

/// Cores from quota and period. v2: a file "QUOTA PERIOD" or "max PERIOD"; v1: two files, quota -1 means no limit.
double cpus(double quota, double period) {
  return quota > 0 && period > 0 && quota < kNone && period < kNone ? quota / period : kNone;
}
double cpus_v2(const std::string& path) {
  double quota = 0, period = 0;
  std::ifstream file(path);
  return file >> quota >> period ? cpus(quota, period) : kNone;
}

}  // namespace

std::vector<CgroupLimit> cgroup_limits(const std::string& root) {
  std::vector<CgroupLimit> limits;
  for (const std::string& folder : folders_of(root, "")) {
    limits.push_back({.group = folder,
                      .cpus = cpus_v2(folder + "/cpu.max"),
                      .memory = std::min(number_in(folder + "/memory.max"), number_in(folder + "/memory.high"))});
  }
  for (const std::string& folder : folders_of(root, "cpu")) {
    const double quota = number_in(folder + "/cpu.cfs_quota_us");
    limits.push_back({folder, cpus(quota, number_in(folder + "/cpu.cfs_period_us")), kNone});
  }
  for (const std::string& folder : folders_of(root, "memory")) {
    limits.push_back({folder, kNone, number_in(folder + "/memory.limit_in_bytes")});  // about 2^63: no limit
  }
  return limits;
}

std::int64_t cgroup_oom_kills(const std::string& root) {
  std::int64_t kills = 0;
  const std::vector<std::string> v2 = folders_of(root, "");
  const std::vector<std::string> v1 = folders_of(root, "memory");
  if (!v2.empty()) kills += value_of(v2.front() + "/memory.events", "oom_kill");
  if (!v1.empty()) kills += value_of(v1.front() + "/memory.oom_control", "oom_kill");
  return kills;
}

}  // namespace recombine
