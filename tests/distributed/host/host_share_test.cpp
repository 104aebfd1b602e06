#include "distributed/host/host_share.hpp"

#include <filesystem>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>
#include <unistd.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

using Cores = std::vector<int>;
constexpr double kNone = std::numeric_limits<double>::infinity();
constexpr double kMiB = 0x1p20;

HostRank on(const Cores& cores, int launcher_cores) {
  HostRank rank{};
  CPU_ZERO(&rank.cores);
  for (const int core : cores) CPU_SET(static_cast<std::size_t>(core), &rank.cores);
  rank.launcher_cores = launcher_cores;
  return rank;
}

TEST(HostShareTest, PinsIfTheLauncherGaveEachRankItsOwnCores) {
  const HostShare second({on({0, 1}, 4), on({2, 3}, 4)}, 1, {});
  EXPECT_TRUE(second.has_own_cores());
  EXPECT_EQ(second.cores_for(2, Bind::automatic), (Cores{2, 3}));
  EXPECT_EQ(second.cores_for(1, Bind::automatic), (Cores{2}));
  EXPECT_EQ(second.cores_for(3, Bind::automatic), Cores{});
  EXPECT_EQ(second.cores_for(2, Bind::none), Cores{});
  const HostShare alone({on({2}, 4)}, 0, {});
  EXPECT_EQ(alone.cores_for(1, Bind::automatic), (Cores{2}));
}

TEST(HostShareTest, DoesNotPinIfOtherJobsMayUseTheSameCores) {
  const HostShare whole_host({on({0, 1}, 2), on({0, 1}, 2)}, 1, {});
  EXPECT_EQ(whole_host.cores_for(1, Bind::automatic), Cores{});
  const HostShare mask_of_a_container({on({4, 5}, 2), on({4, 5}, 2)}, 0, {});
  EXPECT_EQ(mask_of_a_container.cores_for(1, Bind::automatic), Cores{});
  const HostShare alone({on({4, 5}, 2)}, 0, {});
  EXPECT_EQ(alone.cores_for(1, Bind::automatic), Cores{});
}

TEST(HostShareTest, PinsTheOnlyRankOfAHostIfItHasAThreadForEachCore) {
  const HostShare alone({on({4, 5}, 2)}, 0, {});
  EXPECT_EQ(alone.cores_for(2, Bind::automatic), (Cores{4, 5}));
  EXPECT_EQ(alone.cores_for(2, Bind::none), Cores{});
  EXPECT_EQ(alone.cores_for(3, Bind::automatic), Cores{});
}

TEST(HostShareTest, BindCoresGivesEachThreadACoreOrRefuses) {
  const std::vector<HostRank> ranks{on({4, 5, 6, 7}, 4), on({4, 5, 6, 7}, 4)};
  EXPECT_EQ(HostShare(ranks, 0, {}).cores_for(2, Bind::cores), (Cores{4, 5}));
  EXPECT_EQ(HostShare(ranks, 1, {}).cores_for(2, Bind::cores), (Cores{6, 7}));
  EXPECT_THROW(HostShare(ranks, 1, {}).cores_for(3, Bind::cores), InputError);
  const std::vector<HostRank> overlapping{on({0, 1}, 4), on({1, 2}, 4)};
  EXPECT_THROW(HostShare(overlapping, 1, {}).cores_for(1, Bind::cores), InputError);
}

TEST(HostShareTest, ThreadsAreTheShareOfTheMaskAndOfTheQuota) {
  EXPECT_EQ(HostShare({on({0, 1, 2, 3}, 4)}, 0, {}).threads(), 4);
  EXPECT_EQ(HostShare({on({0, 1, 2, 3}, 8), on({0, 1, 2, 3}, 8)}, 0, {}).threads(), 2);  // one mask for both
  EXPECT_EQ(HostShare({on({0, 1}, 4), on({2, 3}, 4)}, 0, {}).threads(), 2);              // separate cores
  const std::vector<HostRank> thirds(3, on({0, 1, 2}, 3));
  EXPECT_EQ(HostShare(thirds, 2, {}).threads(), 1);
  EXPECT_EQ(HostShare(std::vector<HostRank>(3, on({0}, 1)), 2, {}).threads(), 1);
  EXPECT_EQ(HostShare({on({0}, 8), on({1}, 8)}, 0, {}).unbound_threads(), 4);

  const std::vector<CgroupLimit> limits{{"/own", 2.5, kNone}, {"/", kNone, kNone}};
  HostRank inside = on({0, 1, 2, 3}, 4);
  for (std::size_t g = 0; g < limits.size(); ++g) inside.groups[g] = this_host_rank(limits).groups[g];
  EXPECT_EQ(HostShare({inside}, 0, limits).threads(), 2);
  EXPECT_EQ(HostShare({inside, inside}, 0, limits).threads(), 1);               // 1.25 cores for each
  EXPECT_EQ(HostShare({inside, on({4, 5, 6, 7}, 8)}, 0, limits).threads(), 2);  // the other rank is not in the group
}

TEST(HostShareTest, MemoryIsTheSmallestShareOfTheHostAndOfEachGroup) {
  const std::vector<CgroupLimit> limits{{"/job/own", kNone, 300 * kMiB}, {"/job", kNone, 400 * kMiB}};
  HostRank inside = on({0}, 1);
  for (std::size_t g = 0; g < limits.size(); ++g) inside.groups[g] = this_host_rank(limits).groups[g];
  HostRank neighbour = on({0}, 1);  // in the job's group, but in another subgroup
  neighbour.groups[0] = inside.groups[1];
  EXPECT_EQ(HostShare({inside}, 0, limits).memory(1000 * kMiB), 300 * kMiB);
  EXPECT_EQ(HostShare({inside, neighbour}, 0, limits).memory(1000 * kMiB), 200 * kMiB);
  EXPECT_EQ(HostShare({inside, neighbour}, 0, limits).memory(100 * kMiB), 50 * kMiB);
  EXPECT_EQ(HostShare({inside}, 0, {}).memory(1000 * kMiB), 1000 * kMiB);
}

/// Writes files like those under /proc and /sys to a folder of this process.
class CgroupTest : public ::testing::Test {
 protected:
  ~CgroupTest() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }

  std::string root_ = (std::filesystem::temp_directory_path() / ("cgroup_test." + std::to_string(getpid()))).string();
};

TEST_F(CgroupTest, ReadsEachLevelOfVersion2) {
  write("/proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  write("/proc/self/cgroup", "0::/job/step\n");
  write("/sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
  write("/sys/fs/cgroup/job/step/memory.max", "max\n");
  write("/sys/fs/cgroup/job/step/memory.high", "104857600\n");
  write("/sys/fs/cgroup/job/cpu.max", "150000 100000\n");
  write("/sys/fs/cgroup/job/memory.max", "209715200\n");
  write("/sys/fs/cgroup/job/step/memory.events", "low 0\nhigh 7\nmax 9\noom 3\noom_kill 2\n");
  const std::vector<CgroupLimit> limits = cgroup_limits(root_);
  ASSERT_EQ(limits.size(), 3U);
  EXPECT_EQ(limits[0].cpus, kNone);
  EXPECT_EQ(limits[0].memory, 100 * kMiB);
  EXPECT_EQ(limits[1].cpus, 1.5);
  EXPECT_EQ(limits[1].memory, 200 * kMiB);
  EXPECT_EQ(limits[2].memory, kNone);
  EXPECT_EQ(cgroup_oom_kills(root_), 2);
}

TEST_F(CgroupTest, ReadsEachLevelOfVersion1NextToVersion2) {
  write("/proc/self/mountinfo",
        "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
        "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n");
  write("/proc/self/cgroup", "4:memory:/job/step\n1:cpuacct,cpu:/job\n0::/\n");
  write("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "50000\n");
  write("/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  write("/sys/fs/cgroup/memory/job/step/memory.limit_in_bytes", "9223372036854771712\n");
  write("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "104857600\n");
  write("/sys/fs/cgroup/memory/job/step/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  double cpus = kNone, memory = kNone;
  for (const CgroupLimit& limit : cgroup_limits(root_)) {
    cpus = std::min(cpus, limit.cpus);
    memory = std::min(memory, limit.memory);
  }
  EXPECT_EQ(cpus, 0.5);
  EXPECT_EQ(memory, 100 * kMiB);
  EXPECT_EQ(cgroup_oom_kills(root_), 1);
}

TEST_F(CgroupTest, AContainerSeesItsOwnGroupAtTheMountPoint) {
  // The group's path as seen on the host, inside the container's namespace, and from outside that namespace.
  for (const std::string group : {"/docker/abc", "/", "/../other"}) {
    write("/proc/self/mountinfo", "35 31 0:32 " + std::string(group == "/docker/abc" ? group : "/") +
                                      " /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
    write("/proc/self/cgroup", "4:memory:" + group + "\n");
    write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "104857600\n");
    const std::vector<CgroupLimit> limits = cgroup_limits(root_);
    ASSERT_EQ(limits.size(), 1U) << group;
    EXPECT_EQ(limits[0].memory, 100 * kMiB) << group;
  }
}

TEST_F(CgroupTest, HasNoLimitsWithoutGroups) { EXPECT_TRUE(cgroup_limits(root_).empty()); }

}  // namespace
}  // namespace recombine
