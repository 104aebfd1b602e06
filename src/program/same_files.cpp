#include "src/program/same_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "distributed/comparison.hpp"
#include "distributed/io/file_kind.hpp"
#include "kernels/ceil_div.hpp"
#include "src/nn/digest.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kPiece = std::int64_t{1} << 16;
constexpr std::int64_t kPlaces = 1024;

std::string cannot_be_read() { return fmt::format("a file that cannot be read: {}", std::strerror(errno)); }

/// A text that is equal on two ranks if they see one and the same file: the boot id of the machine, the file's device,
/// inode, size and time of change.
std::string identity(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return cannot_be_read();
  if (!S_ISREG(status.st_mode)) return std::string(kind_of(status.st_mode));
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  return fmt::format("{} {} {} {} {}.{}", boot, status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

std::string describe_open(int file, Compared compared) {
  struct stat status {};
  if (fstat(file, &status) != 0) return cannot_be_read();
  const std::int64_t size = status.st_size;
  const bool all = compared == Compared::all_bytes || size <= kPiece * kPlaces;
  const std::int64_t pieces = all ? ceil_div(size, kPiece) : kPlaces;
  std::vector<char> bytes(static_cast<std::size_t>(kPiece));
  Digest digest;
  for (std::int64_t i = 0; i < pieces; ++i) {
    const std::int64_t begin = all ? i * kPiece : i + 1 < pieces ? size / kPlaces * i : size - kPiece;
    const ssize_t got = pread(file, bytes.data(), bytes.size(), begin);
    if (got < 0) return cannot_be_read();
    digest.add(bytes.data(), static_cast<std::size_t>(got));
  }
  return fmt::format("{} bytes with sha256 {}{}", size, digest.finish(), all ? "" : " (of samples)");
}

/// The file's size and hash as a text, which ranks compare and messages show.
std::string describe(const std::string& path, Compared compared) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return cannot_be_read();
  if (!S_ISREG(status.st_mode)) return std::string(kind_of(status.st_mode));  // reading a pipe could block forever
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return cannot_be_read();
  std::string text = describe_open(file, compared);
  close(file);
  return text;
}

/// Compares one file. Of the ranks that see one and the same file, only the lowest reads it.
void require_same_file(const Session& session, const NamedFile& named, Compared compared) {
  const std::string own = identity(named.path);
  if (same_on_every_rank(session, own)) return;
  const std::vector<std::string> identities = from_every_rank(session, own);
  const auto reader = std::ranges::find(identities, own) - identities.begin();
  const std::vector<std::string> found =
      from_every_rank(session, reader == session.rank() ? describe(named.path, compared) : "");
  require_same(session, {{fmt::format("--{} {}", named.option, named.path), found[static_cast<std::size_t>(reader)]}});
}

}  // namespace

void require_same_files(const Session& session, const std::vector<NamedFile>& files, Compared compared) {
  for (const NamedFile& file : files) {
    if (!file.path.empty()) require_same_file(session, file, compared);
  }
}

}  // namespace recombine
