#include "src/train/launcher_process.hpp"

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include <fmt/core.h>
#include <unistd.h>

namespace recombine {

namespace {

/// The name and the parent of a process, from /proc/PID/stat: "PID (NAME) STATE PARENT ...". NAME may hold spaces.
struct Process {
  std::string name;
  pid_t parent = 0;

  explicit Process(pid_t id) {
    std::string text;
    std::getline(std::ifstream(fmt::format("/proc/{}/stat", id)), text);
    const std::size_t begin = text.find('('), end = text.rfind(')');
    if (end == std::string::npos || text.size() < end + 4) return;
    name = text.substr(begin + 1, end - begin - 1);
    parent = static_cast<pid_t>(std::strtol(text.c_str() + end + 4, nullptr, 10));
  }
};

}  // namespace

std::optional<pid_t> launcher_process() {
  static const std::set<std::string> kNames = {"mpirun", "mpiexec", "orterun", "orted", "prterun", "prted"};
  if (std::getenv("OMPI_COMM_WORLD_RANK") == nullptr) return std::nullopt;
  for (pid_t id = getppid(); id > 0;) {
    const Process process(id);
    // Debian's links name the program of each implementation, such as mpirun.openmpi.
    if (kNames.contains(process.name.substr(0, process.name.find('.')))) return id;
    id = process.parent;
  }
  return std::nullopt;
}

}  // namespace recombine
