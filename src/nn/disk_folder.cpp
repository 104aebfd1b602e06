#include "src/nn/disk_folder.hpp"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace recombine {

std::string disk_folder() {
  const char* const set = std::getenv("TMPDIR");
  return set != nullptr && *set != '\0' ? set : "/var/tmp";
}

FileDescriptor make_disk_file() {
  FileDescriptor file(open(disk_folder().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.is_open() || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return file;
  std::string path = disk_folder() + "/recombine-XXXXXX";  // the file system has no O_TMPFILE
  FileDescriptor named(mkostemp(path.data(), O_CLOEXEC));
  if (named.is_open()) unlink(path.c_str());
  return named;
}

}  // namespace recombine
