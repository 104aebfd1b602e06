#include "distributed/io/temporary_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "distributed/host/shared_page.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

/// The path of one file, in memory that a child process shares.
struct Slot {
  enum class State { free, taken, removable };
  std::atomic<State> state = State::free;
  std::array<char, PATH_MAX> path{};
};
static_assert(std::atomic<Slot::State>::is_always_lock_free, "two processes use it");
using Slots = std::array<Slot, 16>;

Slots& slots() {
  static Slots& shared = make_shared_with_children<Slots>();
  return shared;
}

std::size_t take_slot(const std::string& path) {
  for (std::size_t s = 0; s < slots().size(); ++s) {
    Slot& slot = slots()[s];
    auto expected = Slot::State::free;
    if (!slot.state.compare_exchange_strong(expected, Slot::State::taken)) continue;
    // A path that does not fit cannot be opened either, so it needs no removal.
    const bool fits = path.size() < slot.path.size();
    if (fits) std::strcpy(slot.path.data(), path.c_str());
    if (fits) slot.state = Slot::State::removable;
    return s;
  }
  throw Error(fmt::format("{}: more than {} files at once", path, slots().size()));
}

/// A path in the folder of `place`. The name is short, so that `place` itself may have the longest allowed name. It is
/// random, so that other users cannot guess it and put a link or a pipe there first.
std::string random_path(const std::string& place) {
  std::uint64_t random = 0;
  require(getrandom(&random, sizeof random, 0) == sizeof random, "no random bytes: {}", std::strerror(errno));
  return fmt::format("{}.recombine-{:016x}.tmp", place.substr(0, place.rfind('/') + 1), random);
}

/// Reserves room on the disk. Returns 0 or an errno; also 0 if the file system has no fallocate() and reserves nothing.
int claim_room(int file, int mode, std::int64_t bytes) {
  while (bytes > 0 && fallocate(file, mode, 0, bytes) != 0) {
    if (errno == EINTR) continue;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return errno;
    return mode != 0 || ftruncate(file, bytes) == 0 ? 0 : errno;
  }
  return 0;
}

/// Copies the whole file and writes it to disk. Returns 0 or an errno.
int copy_all(int from, int to) {
  static constexpr off_t kPiece = off_t{1} << 30;
  struct stat status {};
  if (fstat(from, &status) != 0 || lseek(to, 0, SEEK_SET) != 0) return errno;
  for (off_t done = 0; done < status.st_size;) {
    const ssize_t moved = sendfile(to, from, &done, static_cast<std::size_t>(std::min(kPiece, status.st_size - done)));
    if (moved == 0) return EIO;
    if (moved < 0 && errno != EINTR) return errno;
  }
  return ftruncate(to, status.st_size) == 0 && fsync(to) == 0 ? 0 : errno;
}

}  // namespace

TemporaryFile::TemporaryFile(std::string name, const std::string& place)
    : name_(std::move(name)),
      place_(OutputPlace::inspect(name_, place)),
      path_(random_path(place)),
      slot_(take_slot(path_)) {
  const mode_t mode = place_.narrowest | S_IRUSR | S_IWUSR;  // this process must be able to write it
  file_ = FileDescriptor(open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (file_.is_open()) return;
  const int reason = errno;
  forget();
  throw InputError(fmt::format("{}: {}", name_, cannot_write(reason, place)));
}

TemporaryFile::~TemporaryFile() {
  if (slot_ == slots().size()) return;
  unlink(path_.c_str());
  forget();
  // Frees the room that reserve() has claimed after the file's end.
  struct stat status {};
  if (place_.in_place.is_open() && fstat(place_.in_place.get(), &status) == 0)
    static_cast<void>(ftruncate(place_.in_place.get(), status.st_size) == 0);
}

void TemporaryFile::forget() noexcept {
  slots()[slot_].state = Slot::State::free;
  slot_ = slots().size();
}

std::uint64_t TemporaryFile::inode() const {
  struct stat status {};
  require(fstat(file_.get(), &status) == 0, "{}: fstat: {}", name_, std::strerror(errno));
  return status.st_ino;
}

std::string TemporaryFile::note() const {
  if (place_.not_replaceable.empty()) return "";
  return fmt::format("{}: {}: the result will be copied into it once it is finished", name_, place_.not_replaceable);
}

void TemporaryFile::reserve(std::int64_t bytes) {
  int reason = claim_room(file_.get(), 0, bytes);
  if (reason == 0 && place_.in_place.is_open()) reason = claim_room(place_.in_place.get(), FALLOC_FL_KEEP_SIZE, bytes);
  require_input(reason == 0, "{}: cannot write there: {}; expected a place with room for {} bytes", name_,
                std::strerror(reason), bytes);
}

void TemporaryFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      throw Error(fmt::format("{}: cannot write: {}", name_, std::strerror(written < 0 ? errno : ENOSPC)));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool TemporaryFile::is_at_path() const {
  struct stat own {};
  struct stat found {};
  return fstat(file_.get(), &own) == 0 && lstat(path_.c_str(), &found) == 0 && own.st_dev == found.st_dev &&
         own.st_ino == found.st_ino;
}

void TemporaryFile::require_there() const {
  struct stat own {};
  const bool published = slot_ == slots().size();
  const bool there = published ? fstat(file_.get(), &own) == 0 && own.st_nlink > 0 : is_at_path();
  if (there) return;
  throw Error(fmt::format("{}: {} was removed during the run; expected it to stay until the end", name_,
                          published ? "the file" : "its folder or " + path_));
}

void TemporaryFile::fail_kept(std::string_view what, int reason) {
  throw Error(
      fmt::format("{}: {}: {}; {}", name_, what, std::strerror(reason),
                  is_at_path() ? "the data are kept in " + path_ : path_ + " was removed or moved during the run"));
}

void TemporaryFile::publish() {
  forget();  // the file is finished: after an error from here on, the file is kept
  if (place_.in_place.is_open()) return copy_to_place();
  if (place_.mode)
    static_cast<void>(fchmod(file_.get(), *place_.mode) == 0);  // if this fails, the permissions stay narrower
  if (std::rename(path_.c_str(), place_.path.c_str()) != 0) fail_kept("cannot rename the finished file", errno);
}

void TemporaryFile::copy_to_place() {
  const int reason = copy_all(file_.get(), place_.in_place.get());
  if (reason != 0) fail_kept("cannot copy the finished file to its place", reason);
  unlink(path_.c_str());
  file_ = std::move(place_.in_place);  // positioned at the end of the file
}

void TemporaryFile::commit() {
  const off_t end = lseek(file_.get(), 0, SEEK_CUR);
  const bool safe = end >= 0 && ftruncate(file_.get(), end) == 0 && fsync(file_.get()) == 0;
  if (!safe) throw Error(fmt::format("{}: cannot write: {}", name_, std::strerror(errno)));
  publish();
}

void TemporaryFile::share_with_children() { slots(); }

void TemporaryFile::remove_all_of_ended_process() noexcept {
  for (Slot& slot : slots()) {
    if (slot.state.exchange(Slot::State::free) == Slot::State::removable) unlink(slot.path.data());
  }
}

}  // namespace recombine
