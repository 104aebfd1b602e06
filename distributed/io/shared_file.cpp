#include "distributed/io/shared_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "distributed/io/output_place.hpp"
#include "kernels/ceil_div.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

[[noreturn]] void fail(const std::string& name, int reason) {
  throw Error(fmt::format("{}: cannot write: {}", name, std::strerror(reason)));
}

}  // namespace

SharedFile::Identity SharedFile::share(Communicator& world, Stream& stream, const Identity& of_root) {
  std::array<std::int64_t, 2> head = {static_cast<std::int64_t>(of_root.path.size()),
                                      std::bit_cast<std::int64_t>(of_root.inode)};
  world.broadcast(stream, vector_view(head.data(), 2), 0);
  stream.synchronize();
  std::vector<std::uint8_t> text(static_cast<std::size_t>(head[0]));
  if (world.rank() == 0) std::ranges::copy(of_root.path, text.begin());
  world.broadcast(stream, vector_view(text.data(), head[0]), 0);
  stream.synchronize();
  return {{text.begin(), text.end()}, std::bit_cast<std::uint64_t>(head[1])};
}

SharedFile::SharedFile(std::string name, const Identity& identity)
    : name_(std::move(name)),
      // Another user may have put a link or a pipe at this path: open() must not follow the link or wait for the pipe.
      file_(open(identity.path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) {
  const int reason = errno;
  if (!file_.is_open() && reason != ENOENT && reason != ELOOP && reason != ENXIO) {
    throw Error(fmt::format("{}: {}", name_, cannot_write(reason, identity.path)));
  }
  struct stat status {};
  const bool same = file_.is_open() && fstat(file_.get(), &status) == 0 && status.st_ino == identity.inode;
  require_input(same, "{}: {} is not the same file on every rank; expected a folder that all hosts share", name_,
                identity.path);
  // Opens the file by its descriptor, because another file may have its path by now.
  const std::string own = fmt::format("/proc/self/fd/{}", file_.get());
  direct_ = FileDescriptor(open(own.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_DIRECT));
}

void SharedFile::write(std::int64_t offset, const std::byte* from, std::int64_t bytes) const {
  const std::int64_t head = std::min(bytes, round_up(offset, kBlock) - offset);
  const std::int64_t body = (bytes - head) / kBlock * kBlock;
  const bool aligned = reinterpret_cast<std::uintptr_t>(from + head) % kBlock == 0;
  if (!direct_.is_open() || !aligned || body < kLeastDirect) return write_through(file_, offset, from, bytes);
  write_through(file_, offset, from, head);
  write_through(direct_, offset + head, from + head, body);
  write_through(file_, offset + head + body, from + head + body, bytes - head - body);
}

void SharedFile::write_through(const FileDescriptor& file, std::int64_t offset, const std::byte* from,
                               std::int64_t bytes) const {
  for (std::int64_t done = 0; done < bytes;) {
    const ssize_t moved = pwrite(file.get(), from + done, static_cast<std::size_t>(bytes - done), offset + done);
    if (moved < 0 && errno == EINTR) continue;
    // Some file systems refuse direct writes only here.
    if (moved < 0 && errno == EINVAL && &file == &direct_)
      return write_through(file_, offset + done, from + done, bytes - done);
    if (moved <= 0) fail(name_, moved < 0 ? errno : ENOSPC);
    done += moved;
  }
}

void SharedFile::begin_sync(std::int64_t offset, std::int64_t bytes) const noexcept {
  // Where it is not supported, sync() does all.
  static_cast<void>(sync_file_range(file_.get(), offset, bytes, SYNC_FILE_RANGE_WRITE) == 0);
}

void SharedFile::sync() const {
  if (fsync(file_.get()) != 0) fail(name_, errno);
}

}  // namespace recombine
