#include "distributed/host/process_end.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace recombine {

namespace {

/// struct pidfd_info of Linux 6.15's <linux/pidfd.h>, which older headers lack.
struct PidfdInfo {
  std::uint64_t mask, cgroup;
  std::array<std::uint32_t, 11> ids;
  std::int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64, "PIDFD_INFO_SIZE_VER0");
constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);
constexpr std::uint64_t kExit = 1U << 3U;

std::optional<int> status_by_handle(int handle) {
  PidfdInfo info{};
  info.mask = kExit;
  if (handle < 0 || ioctl(handle, kGetInfo, &info) != 0 || (info.mask & kExit) == 0) return std::nullopt;
  return info.exit_code;
}

/// The exit status in field 52 of /proc/PID/stat. The kernel sets it when the process begins to end, and removes it
/// when the parent calls wait().
std::optional<int> status_by_proc(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  std::istringstream words(line.substr(line.rfind(')') + 1));  // the process's name may contain spaces
  std::string word;
  for (int field = 3; field <= 52 && words >> word; ++field) {
  }
  if (words.fail()) return std::nullopt;
  return std::stoi(word);
}

}  // namespace

WatchedProcess::WatchedProcess(pid_t process)
    : process_(process), handle_(static_cast<int>(syscall(SYS_pidfd_open, process, 0))) {}

WatchedProcess::~WatchedProcess() {
  if (handle_ >= 0) close(handle_);
}

std::optional<int> WatchedProcess::signal_of_end() const {
  const std::optional<int> early = status_by_proc(process_);  // gone as soon as the parent calls wait()
  if (early && *early != 0) return WIFSIGNALED(*early) ? WTERMSIG(*early) : 0;
  constexpr int kPatience = 1000;  // ms
  pollfd end{.fd = handle_, .events = POLLIN, .revents = 0};
  while (handle_ >= 0 && poll(&end, 1, kPatience) < 0 && errno == EINTR) {
  }
  std::optional<int> status = status_by_handle(handle_);
  if (!status) status = status_by_proc(process_);
  if (!status) status = early;
  if (!status) return std::nullopt;
  return WIFSIGNALED(*status) ? WTERMSIG(*status) : 0;
}

}  // namespace recombine
