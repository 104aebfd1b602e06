#include "distributed/temporary_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include <unistd.h>

#include "kernels/error.hpp"

namespace recombine {

namespace {

/// The path of one file, where a signal handler finds it: that can neither allocate nor lock.
struct Slot {
  enum class State { free, taken, removable };
  std::atomic<State> state = State::free;
  std::array<char, PATH_MAX> path{};
};
constinit std::array<Slot, 16> slots;  // a handler is given nothing: what it needs must be where it can see it
static_assert(std::atomic<Slot::State>::is_always_lock_free);

std::size_t take_slot(const std::string& path) {
  for (std::size_t s = 0; s < slots.size(); ++s) {
    auto expected = Slot::State::free;
    if (!slots[s].state.compare_exchange_strong(expected, Slot::State::taken)) continue;
    // A path too long for it is too long to be made as well.
    const bool fits = path.size() < slots[s].path.size();
    if (fits) std::strcpy(slots[s].path.data(), path.c_str());
    if (fits) slots[s].state = Slot::State::removable;
    return s;
  }
  throw Error(fmt::format("{}: more than {} files at once", path, slots.size()));
}

extern "C" void remove_and_end(int number) {
  TemporaryFile::remove_all();
  std::raise(number);  // again, now without this handler
}

}  // namespace

TemporaryFile::TemporaryFile(std::string place)
    : place_(std::move(place)), path_(path_of(place_, getpid())), slot_(take_slot(path_)) {}

std::string TemporaryFile::path_of(const std::string& place, std::int64_t process) {
  return fmt::format("{}.{}.tmp", place, process);
}

TemporaryFile::~TemporaryFile() {
  if (slot_ == slots.size()) return;
  unlink(path_.c_str());
  forget();
}

void TemporaryFile::forget() noexcept {
  slots[slot_].state = Slot::State::free;
  slot_ = slots.size();
}

void TemporaryFile::rename(std::string_view name) {
  if (std::rename(path_.c_str(), place_.c_str()) != 0) {
    throw Error(fmt::format("{}: cannot be renamed from {}: {}", name, path_, std::strerror(errno)));
  }
  forget();
}

void TemporaryFile::remove_all() noexcept {
  for (const Slot& slot : slots) {
    if (slot.state == Slot::State::removable) unlink(slot.path.data());
  }
}

void TemporaryFile::remove_on_signals() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    struct sigaction old {};
    if (sigaction(number, nullptr, &old) != 0 || old.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = remove_and_end;
    action.sa_flags = SA_RESETHAND | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
  }
}

}  // namespace recombine
