#include "distributed/io/file_kind.hpp"

#include <sys/stat.h>

#include "kernels/error.hpp"

namespace recombine {

std::string_view kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return "a regular file";
    case S_IFDIR: return "a folder";
    case S_IFIFO: return "a FIFO";
    case S_IFSOCK: return "a socket";
    case S_IFCHR: return "a character device";
    case S_IFBLK: return "a block device";
    case S_IFLNK: return "a link";
    default: return "a file of an unknown kind";
  }
}

std::string_view kind_at(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? kind_of(status.st_mode) : "";
}

void require_regular(std::string_view name, const std::string& path, std::string_view expected) {
  const std::string_view kind = kind_at(path);
  require_input(kind.empty() || kind == kind_of(S_IFREG), "{}: is {}; expected {}", name, kind, expected);
}

}  // namespace recombine
