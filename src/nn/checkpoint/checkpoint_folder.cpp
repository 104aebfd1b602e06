#include "src/nn/checkpoint/checkpoint_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "distributed/io/file_kind.hpp"
#include "distributed/io/temporary_file.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kNone = -1;
constexpr std::string_view kLatest = "latest";

std::string file_of(std::int64_t step) { return fmt::format("step-{:08}.safetensors", step); }

/// The step of a name that file_of() gives; kNone for any other name.
std::int64_t step_of(std::string_view name) {
  static constexpr std::string_view kBegin = "step-";
  std::int64_t step = kNone;
  if (!name.starts_with(kBegin)) return kNone;
  const auto end = std::from_chars(name.data() + kBegin.size(), name.data() + name.size(), step);
  return end.ec == std::errc() && step >= 0 && name == file_of(step) ? step : kNone;
}

bool is_unfinished(std::string_view name) {
  static constexpr std::string_view kBegin = ".recombine-", kEnd = ".tmp";
  if (!name.starts_with(kBegin) || !name.ends_with(kEnd) || name.size() < kBegin.size() + kEnd.size()) return false;
  name.remove_prefix(kBegin.size());
  name.remove_suffix(kEnd.size());
  return name.size() == 16 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_regular(int folder, const std::string& name) {
  struct stat status {};
  return fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
}

/// The names in a folder.
std::vector<std::string> names_in(int folder, const std::string& name) {
  // Opens the folder again: descriptors of one open file share the read position.
  const std::unique_ptr<DIR, int (*)(DIR*)> list(fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                                                 closedir);
  require(list != nullptr, "{}: cannot read the folder: {}", name, std::strerror(errno));
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* const entry = readdir(list.get());
    if (entry == nullptr) break;
    names.emplace_back(entry->d_name);
  }
  require(errno == 0, "{}: cannot read the folder: {}", name, std::strerror(errno));
  return names;
}

/// Creates the folder if it is missing, and syncs its parent to disk.
void make_folder(const std::string& path, const std::string& name) {
  if (mkdir(path.c_str(), 0777) == 0) {
    const std::string parent = std::filesystem::path(path + "/..").string();
    const FileDescriptor opened(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    static_cast<void>(opened.is_open() && fsync(opened.get()) == 0);  // some file systems cannot sync a folder
    return;
  }
  const int reason = errno;
  const std::string_view kind = kind_at(path);
  if (reason == EEXIST && kind == kind_of(S_IFDIR)) return;
  require_input(kind.empty(), "{}: is {}; expected a folder, or a new name in a folder that exists", name, kind);
  throw InputError(fmt::format("{}: cannot make this folder: {}; expected a folder, or a new name in a writable folder",
                               name, std::strerror(reason)));
}

void remove(int folder, const std::string& file, const std::string& name) {
  if (unlinkat(folder, file.c_str(), 0) == 0 || errno == ENOENT) return;
  throw Error(fmt::format("{}: cannot delete {}: {}; expected a folder whose files this user may delete", name, file,
                          std::strerror(errno)));
}

void sync_folder(int folder, const std::string& name) {
  // EINVAL: the file system cannot sync a folder
  if (fsync(folder) == 0 || errno == EINVAL) return;
  throw Error(fmt::format("{}: cannot write the folder to disk: {}", name, std::strerror(errno)));
}

}  // namespace

CheckpointFolder::CheckpointFolder(const std::string& path) : path_(path), name_("--checkpoint " + path) {
  make_folder(path_, name_);
  folder_ = FileDescriptor(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  require_input(folder_.is_open(), "{}: cannot open it: {}; expected a readable and writable folder", name_,
                std::strerror(errno));
  take_lock();
  { const TemporaryFile probe(name_, path_ + "/" + std::string(kLatest)); }  // refuses a folder that cannot be written
  remove_unfinished();
}

void CheckpointFolder::take_lock() {
  lock_ = FileDescriptor(openat(folder_.get(), "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666));
  require_input(lock_.is_open(), "{}: cannot write its file lock: {}; expected a writable folder", name_,
                std::strerror(errno));
  require_input(is_regular(folder_.get(), "lock"), "{}: its file lock is not a regular file; expected a regular file",
                name_);
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return;
  require_input(errno != EWOULDBLOCK, "{}: another run writes there; expected a folder of its own", name_);
  throw InputError(fmt::format("{}: cannot lock its file lock: {}; expected a file system that has flock()", name_,
                               std::strerror(errno)));
}

void CheckpointFolder::remove_unfinished() const {
  for (const std::string& file : names_in(folder_.get(), name_)) {
    if (is_unfinished(file) && is_regular(folder_.get(), file)) remove(folder_.get(), file, name_);
  }
}

std::string CheckpointFolder::path_of(std::int64_t step) const { return path_ + "/" + file_of(step); }

bool CheckpointFolder::has_checkpoints() const { return !steps().empty(); }

/// The steps of the checkpoints, largest first.
std::vector<std::int64_t> CheckpointFolder::steps() const {
  std::vector<std::int64_t> steps;
  for (const std::string& file : names_in(folder_.get(), name_)) {
    if (step_of(file) != kNone && is_regular(folder_.get(), file)) steps.push_back(step_of(file));
  }
  std::ranges::sort(steps, std::ranges::greater());
  return steps;
}

/// The step that `latest` names; kNone if it is missing or damaged.
std::int64_t CheckpointFolder::latest() const {
  const FileDescriptor file(openat(folder_.get(), kLatest.data(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open()) return kNone;
  std::string text(64, '\0');
  const ssize_t size = read(file.get(), text.data(), text.size());
  if (size <= 0 || text[static_cast<std::size_t>(size) - 1] != '\n') return kNone;
  return step_of(text.substr(0, static_cast<std::size_t>(size) - 1));
}

std::vector<std::string> CheckpointFolder::candidates() const {
  std::vector<std::int64_t> found = steps();
  const std::int64_t newest = latest();
  // A checkpoint of a larger step was not committed, or a resumed run started before it and makes it obsolete.
  const auto first = std::ranges::find_if(found, [&](std::int64_t step) { return step <= newest; });
  if (first != found.end()) found.erase(found.begin(), first);
  std::vector<std::string> paths;
  for (const std::int64_t step : found) paths.push_back(path_of(step));
  return paths;
}

void CheckpointFolder::commit(std::int64_t step, std::int64_t keep) const {
  require(keep >= 1, "{}: keep = {}; expected at least 1", name_, keep);
  require_there();
  require(is_regular(folder_.get(), file_of(step)), "{}: has no {}; expected the finished file", name_, file_of(step));
  sync_folder(folder_.get(), name_);
  make_file([&] {
    TemporaryFile file(name_, path_ + "/" + std::string(kLatest));
    file.write(file_of(step) + "\n");
    file.commit();
  });
  sync_folder(folder_.get(), name_);
  for (const std::int64_t other : steps()) {
    const bool stays = other <= step && keep > 0;
    if (stays) --keep;
    if (!stays) remove(folder_.get(), file_of(other), name_);
  }
}

void CheckpointFolder::make_file(const std::function<void()>& work) const {
  require_there();
  try {
    work();
  } catch (const InputError& error) {
    require_there();
    throw Error(error.what());
  }
}

void CheckpointFolder::require_there() const {
  struct stat own {};
  struct stat found {};
  const bool there = fstat(folder_.get(), &own) == 0 && stat(path_.c_str(), &found) == 0 &&
                     own.st_dev == found.st_dev && own.st_ino == found.st_ino;
  if (!there) {
    throw Error(fmt::format("{}: was removed or replaced during the run; expected it to stay until the end", name_));
  }
}

}  // namespace recombine
