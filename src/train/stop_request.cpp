#include "src/train/stop_request.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>

#include "distributed/host/watched_links.hpp"
#include "kernels/error.hpp"
#include "src/train/launcher_process.hpp"

namespace recombine {

namespace {

constexpr std::array<int, 2> kSignals = {SIGUSR1, SIGTERM};
constexpr std::int64_t kSameRequest = 500;  // ms; on a busy host, the two signals of one request came up to 32 ms apart

// A signal handler gets no pointer to an object, so what it reads and writes must be global.
std::atomic<std::int64_t> noted = 0;  ///< the first signal: its number + 256 * the time in ms; 0: none
std::atomic<pid_t> launcher = 0;      ///< mpirun or its daemon; 0: none
static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free);

std::int64_t now_in_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

/// True if the signal is from the launcher or a watcher: another rank has died, or another host is lost.
bool ends_the_job(int number, const siginfo_t& info) {
  if (number != SIGTERM) return false;
  const pid_t ender = launcher;
  return (info.si_code == SI_USER && ender != 0 && info.si_pid == ender) ||
         (info.si_code == SI_QUEUE && info.si_value.sival_int == kLostHost);
}

/// The handler of both signals. It calls async-signal-safe functions only.
void note_or_end(int number, siginfo_t* info, void* /*context*/) {
  if (!ends_the_job(number, *info)) {
    const std::int64_t now = now_in_ms();
    std::int64_t first = 0;
    if (noted.compare_exchange_strong(first, now * 256 + number)) return;
    if (now - first / 256 < kSameRequest) return;
  }
  std::signal(number, SIG_DFL);
  raise(number);  // takes effect when this handler returns: until then the signal is blocked
}

sigset_t signal_set() {
  sigset_t set{};
  sigemptyset(&set);
  for (const int number : kSignals) sigaddset(&set, number);
  return set;
}

std::string name_of(int number) { return number == SIGUSR1 ? "SIGUSR1" : "SIGTERM"; }

}  // namespace

StopRequest::StopRequest() {
  noted = 0;
  launcher = launcher_process().value_or(0);
  struct sigaction action {};
  action.sa_sigaction = note_or_end;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  action.sa_mask = signal_set();
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    require(sigaction(kSignals[i], &action, &before_[i]) == 0, "sigaction: {}", std::strerror(errno));
  }
  start_thread();
}

StopRequest::~StopRequest() {
  restore_actions();
  end_thread();
}

/// Blocks the signals here, so that the threads that are made later block them too.
void StopRequest::start_thread() {
  const sigset_t both = signal_set();
  end_ = FileDescriptor(eventfd(0, EFD_CLOEXEC));
  require(end_.is_open(), "eventfd: {}", std::strerror(errno));
  pthread_sigmask(SIG_BLOCK, &both, &mask_before_);
  thread_ = std::thread([end = end_.get(), mask = mask_before_] {
    sigset_t open = mask;
    for (const int number : kSignals) sigdelset(&open, number);
    pollfd ended = {.fd = end, .events = POLLIN, .revents = 0};
    while (ppoll(&ended, 1, nullptr, &open) < 0 && errno == EINTR) {  // a signal has come
    }
  });
}

void StopRequest::end_thread() {
  if (!thread_.joinable()) return;
  static_cast<void>(eventfd_write(end_.get(), 1) == 0);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void StopRequest::restore_actions() {
  if (std::exchange(released_, true)) return;
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
}

void StopRequest::limit_time(double seconds, std::string text) {
  limit_ = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  limit_text_ = std::move(text);
}

void StopRequest::release() {
  if (released_) return;
  restore_actions();
  end_thread();
  if (const std::int64_t first = noted; first != 0) raise(static_cast<int>(first % 256));
}

void StopRequest::ignore_signals() {
  released_ = true;
  for (const int number : kSignals) std::signal(number, SIG_IGN);
}

std::optional<std::string> StopRequest::reason() const {
  if (const std::int64_t first = noted; first != 0) return name_of(static_cast<int>(first % 256));
  if (limit_ && Clock::now() - start_ >= *limit_) return "--time-limit " + limit_text_;
  return std::nullopt;
}

}  // namespace recombine
