#include "distributed/host/file_location.hpp"

#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace recombine {

namespace {

FileDescriptor open_number(const std::string& process, std::int64_t number, int flags) {
  const std::string path = "/proc/" + process + "/fd/" + std::to_string(number);
  return FileDescriptor(number < 0 ? -1 : open(path.c_str(), flags | O_CLOEXEC));
}

}  // namespace

FileLocation location_of(const FileDescriptor& file) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return {};
  return {getpid(), file.get(), status.st_dev, status.st_ino};
}

FileDescriptor open_file_at(const FileLocation& at) {
  const FileDescriptor seen =
      open_number(std::to_string(at.process), at.number, O_PATH);  // no effect on the file, of any kind
  const FileLocation found = location_of(seen);
  if (!seen.is_open() || found.device != at.device || found.inode != at.inode) return {};
  return open_number("self", seen.get(), O_RDWR);
}

}  // namespace recombine
