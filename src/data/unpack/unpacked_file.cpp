#include "src/data/unpack/unpacked_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "distributed/io/file_kind.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr std::int64_t kMostGrowth = 1000;  // deflate reaches about 1,030 at most, on bytes that are all the same

FileDescriptor open_regular(const std::string& path) {
  require_regular(path, path);
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  require_input(file.is_open(), "{}: cannot be opened: {}; expected a readable file", path, std::strerror(errno));
  return file;
}

}  // namespace

UnpackedFile::UnpackedFile(const std::string& path, Growth growth) : UnpackedFile(path, open_regular(path), growth) {}

UnpackedFile UnpackedFile::standard_input(Growth growth) {
  return {"standard input", FileDescriptor(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)), growth};
}

UnpackedFile::UnpackedFile(std::string name, FileDescriptor file, Growth growth)
    : path_(std::move(name)), growth_(growth), file_(std::move(file)) {
  struct stat status {};
  is_regular_ = fstat(file_.get(), &status) == 0 && S_ISREG(status.st_mode);
  if (is_regular_) file_bytes_ = status.st_size;
  piece_.resize(kPiece);
  require_input(refill(), "{}: is empty; expected data", path_);
  unpacker_ = make_unpacker({left_.data(), left_.size()});
}

std::size_t UnpackedFile::read(std::span<char> to) {
  const std::size_t got = packed() ? unpack(to) : read_plain(to);
  given_ += static_cast<std::int64_t>(got);
  require_allowed(given_);
  return got;
}

void UnpackedFile::require_allowed(std::int64_t bytes) const {
  require_input(!packed() || growth_ == Growth::any || bytes <= kMostGrowth * file_bytes_,
                "{}: unpacks to more than {} times its {} bytes; expected less, or --memory-limit, which allows more",
                path_, kMostGrowth, file_bytes_);
}

std::size_t UnpackedFile::read_file(std::span<char> to) {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t got = ::read(file_.get(), to.data() + done, to.size() - done);
    if (got < 0 && errno == EINTR) continue;
    require_input(got >= 0, "{}: cannot read it: {}", path_, std::strerror(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  if (!is_regular_) file_bytes_ += static_cast<std::int64_t>(done);
  return done;
}

std::size_t UnpackedFile::read_plain(std::span<char> to) {
  const std::size_t kept = std::min(left_.size(), to.size());
  std::copy_n(left_.begin(), kept, to.begin());
  left_ = left_.subspan(kept);
  return kept + read_file(to.subspan(kept));
}

bool UnpackedFile::refill() {
  if (left_.empty()) left_ = std::span(piece_).first(read_file(piece_));
  return !left_.empty();
}

std::size_t UnpackedFile::unpack(std::span<char> to) {
  const std::size_t wanted = to.size();
  while (!to.empty()) {
    const bool at_end = !refill();
    if (at_end && state_ == Unpacker::State::between) break;
    const std::size_t room = to.size();
    state_ = unpacker_->unpack(left_, to);
    require_input(state_ != Unpacker::State::too_wide,
                  "{}: needs more than 256 MiB of memory to unpack; expected a {} file of a lower compression level",
                  path_, unpacker_->format());
    const bool stuck = at_end && to.size() == room && state_ == Unpacker::State::more;
    require_input(state_ != Unpacker::State::damaged && !stuck,
                  "{}: truncated or damaged {} file; expected a complete one: copy or download it again", path_,
                  unpacker_->format());
  }
  return wanted - to.size();
}

}  // namespace recombine
