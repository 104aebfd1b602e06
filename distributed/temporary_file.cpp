#include "distributed/temporary_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/error.hpp"

namespace recombine {

namespace {

/// The path of one file, in memory that a child process shares.
struct Slot {
  enum class State { free, taken, removable };
  std::atomic<State> state = State::free;
  std::array<char, PATH_MAX> path{};
};
static_assert(std::atomic<Slot::State>::is_always_lock_free, "between processes");
using Slots = std::array<Slot, 16>;

Slots& slots() {
  static Slots& shared = *[] {
    void* const memory = mmap(nullptr, sizeof(Slots), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(memory != MAP_FAILED, "cannot share a page of memory with a child process: {}", std::strerror(errno));
    return new (memory) Slots;
  }();
  return shared;
}

std::size_t take_slot(const std::string& path) {
  for (std::size_t s = 0; s < slots().size(); ++s) {
    Slot& slot = slots()[s];
    auto expected = Slot::State::free;
    if (!slot.state.compare_exchange_strong(expected, Slot::State::taken)) continue;
    // A path too long for it is too long to be made as well.
    const bool fits = path.size() < slot.path.size();
    if (fits) std::strcpy(slot.path.data(), path.c_str());
    if (fits) slot.state = Slot::State::removable;
    return s;
  }
  throw Error(fmt::format("{}: more than {} files at once", path, slots().size()));
}

}  // namespace

TemporaryFile::TemporaryFile(std::string place)
    : place_(std::move(place)), path_(path_of(place_, getpid())), slot_(take_slot(path_)) {}

std::string TemporaryFile::path_of(const std::string& place, std::int64_t process) {
  return fmt::format("{}.{}.tmp", place, process);
}

TemporaryFile::~TemporaryFile() {
  if (slot_ == slots().size()) return;
  unlink(path_.c_str());
  forget();
}

void TemporaryFile::forget() noexcept {
  slots()[slot_].state = Slot::State::free;
  slot_ = slots().size();
}

void TemporaryFile::rename(std::string_view name) {
  if (std::rename(path_.c_str(), place_.c_str()) != 0) {
    throw Error(fmt::format("{}: cannot be renamed from {}: {}", name, path_, std::strerror(errno)));
  }
  forget();
}

void TemporaryFile::share_with_children() { slots(); }

void TemporaryFile::remove_all_of_ended_process() noexcept {
  for (Slot& slot : slots()) {
    if (slot.state.exchange(Slot::State::free) == Slot::State::removable) unlink(slot.path.data());
  }
}

void require_replaceable(std::string_view name, const std::string& place) {
  struct stat status {};
  const bool exists = stat(place.c_str(), &status) == 0;
  require_input(!exists || S_ISREG(status.st_mode), "{}: is there already and no plain file; another name is right",
                name);
}

}  // namespace recombine
