#include "distributed/io/output_place.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include "distributed/io/file_kind.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr mode_t kPermissions = 0777;
/// The temporary file may have a longer path than the file that it becomes, so this is a little less than PATH_MAX.
constexpr std::size_t kLongestPath = PATH_MAX - 96;

/// What is expected if open() says that `path` is too long.
std::string shorter(std::string_view path) {
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end - begin > NAME_MAX) return fmt::format("a name of at most {} bytes", NAME_MAX);
    begin = end + 1;
  }
  if (path.size() > kLongestPath) return fmt::format("a path of at most {} bytes", kLongestPath);
  return "a shorter name";  // some file systems allow less
}

/// Says why rename() cannot replace this regular file; "": it can.
std::string protection(const std::string& path, const struct statx& file) {
  if ((file.stx_attributes & file.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0) return "is a mount point";
  // A test without an effect: rmdir() never removes a file. If the name is protected (sticky bit of the folder, or an
  // attribute of the file) rmdir() fails with EPERM, otherwise with ENOTDIR.
  if (rmdir(path.c_str()) != 0 && errno == EPERM) return "is protected against replacement";
  return "";
}

FileDescriptor open_in_place(std::string_view name, const OutputPlace& place, const struct statx& file) {
  FileDescriptor opened(open(place.path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  require_input(opened.is_open(), "{}: {} and cannot be written: {}; expected another path", name,
                place.not_replaceable, std::strerror(errno));
  struct stat status {};
  const bool same = fstat(opened.get(), &status) == 0 && status.st_ino == file.stx_ino && S_ISREG(status.st_mode);
  require_input(same, "{}: changed during the checks at the start; expected a file that no other program changes",
                name);
  return opened;
}

}  // namespace

OutputPlace OutputPlace::inspect(std::string_view name, const std::string& path) {
  OutputPlace place{.path = path};
  struct statx file {};
  if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &file) != 0) {
    require_input(errno == ENOENT && !path.empty(), "{}: {}", name, cannot_write(errno, path));
    return place;
  }
  // A symbolic link itself is replaced, not its target; but a link to a folder or a device is probably a mistake.
  struct stat target {};
  const bool is_link = S_ISLNK(file.stx_mode);
  const mode_t kind = stat(path.c_str(), &target) == 0 ? target.st_mode : file.stx_mode;
  require_input(S_ISREG(kind) || S_ISLNK(kind), "{}: is {}{}; expected a regular file or a new name", name,
                is_link ? "a link to " : "", kind_of(kind));
  if (is_link) return place;
  const mode_t mode = file.stx_mode & kPermissions;
  if (file.stx_uid == geteuid()) place.mode = mode;
  place.narrowest = mode;
  place.not_replaceable = protection(path, file);
  if (!place.not_replaceable.empty()) place.in_place = open_in_place(name, place, file);
  return place;
}

std::string cannot_write(int reason, const std::string& path) {
  const bool too_many = reason == EMFILE || reason == ENFILE;
  return fmt::format("cannot write there: {}; expected {}", std::strerror(reason),
                     too_many                 ? "a higher limit of open files (ulimit -n)"
                     : reason == ENAMETOOLONG ? shorter(path)
                                              : "a path in a writable folder");
}

}  // namespace recombine
