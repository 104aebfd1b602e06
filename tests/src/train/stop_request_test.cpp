#include "src/train/stop_request.hpp"

#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distributed/host/watched_links.hpp"

namespace recombine {
namespace {

constexpr int kHeld = 0, kFailed = 1;

/// Runs `child` in a process of its own.
pid_t start(const std::function<bool()>& child) {
  const pid_t process = fork();
  if (process == 0) _exit(child() ? kHeld : kFailed);
  return process;
}

/// Waits for a child. Returns its exit code, or 128 + the signal that ended it.
int end_of(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int end_of(const std::function<bool()>& child) { return end_of(start(child)); }

void sleep_ms(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

bool is_pending(int number) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, number) == 1;
}

/// Sends a signal to this process, and waits until its thread for signals has taken it, and then has had time to note it.
void send(int number) {
  kill(getpid(), number);
  for (int n = 0; is_pending(number) && n < 10000; ++n) sleep_ms(1);
  sleep_ms(20);
}

TEST(StopRequest, NotesTheFirstSignal) {
  for (const int number : {SIGUSR1, SIGTERM}) {
    EXPECT_EQ(end_of([&] {
                const StopRequest stop;
                const bool none_before = !stop.reason();
                send(number);
                return none_before && stop.reason() == (number == SIGUSR1 ? "SIGUSR1" : "SIGTERM");
              }),
              kHeld);
  }
}

TEST(StopRequest, ASecondSignalEndsTheProcess) {
  std::vector<std::pair<pid_t, int>> children;
  for (const int first : {SIGUSR1, SIGTERM}) {
    for (const int second : {SIGUSR1, SIGTERM}) {
      const pid_t child = start([&] {
        const StopRequest stop;
        send(first);
        sleep_ms(510);
        send(second);
        return true;
      });
      children.emplace_back(child, second);
    }
  }
  for (const auto& [child, second] : children) EXPECT_EQ(end_of(child), 128 + second);
}

TEST(StopRequest, OneRequestMayComeTwice) {
  // The two signals come microseconds apart, unless the process has to wait for a core: then it tries again.
  const auto both = [] {
    const StopRequest stop;
    send(SIGUSR1);
    send(SIGUSR1);
    return stop.reason() == "SIGUSR1";
  };
  int end = kFailed;
  for (int attempt = 0; attempt < 5 && end != kHeld; ++attempt) end = end_of(both);
  EXPECT_EQ(end, kHeld);
}

TEST(StopRequest, ReleasedSignalsHaveTheirUsualEffect) {
  EXPECT_EQ(end_of([] {
              StopRequest stop;
              stop.release();
              send(SIGUSR1);
              return true;
            }),
            128 + SIGUSR1);
  EXPECT_EQ(end_of([] {
              StopRequest stop;
              send(SIGTERM);
              stop.release();
              return true;
            }),
            128 + SIGTERM)
      << "a signal that came before";
  EXPECT_EQ(end_of([] {
              std::signal(SIGUSR1, SIG_IGN);  // as a parent may have left it
              StopRequest stop;
              send(SIGUSR1);
              stop.release();
              send(SIGUSR1);
              return true;
            }),
            kHeld);
}

TEST(StopRequest, SignalsAreIgnoredOnceAllIsWritten) {
  EXPECT_EQ(end_of([] {
              std::make_unique<StopRequest>()->ignore_signals();
              send(SIGTERM);
              send(SIGUSR1);
              return true;
            }),
            kHeld);
}

bool blocks_both() {
  sigset_t mask{};
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGTERM) == 1;
}

/// A handler on a thread that computes would write its frame where oneDNN keeps data.
TEST(StopRequest, OnlyItsOwnThreadTakesSignals) {
  StopRequest stop;
  bool other_blocks = false;
  std::thread([&] { other_blocks = blocks_both(); }).join();
  EXPECT_TRUE(blocks_both());
  EXPECT_TRUE(other_blocks);
  stop.release();
  EXPECT_FALSE(blocks_both());
}

TEST(StopRequest, HasATimeLimit) {
  StopRequest stop;
  stop.limit_time(3600, "1h");
  EXPECT_EQ(stop.reason(), std::nullopt);
  stop.limit_time(0.01, "10ms");
  sleep_ms(15);
  EXPECT_EQ(stop.reason(), "--time-limit 10ms");
}

/// Acts as a daemon of Open MPI that sends `number` to a rank. Returns how the rank ends.
int end_after_launcher_sends(int number) {
  return end_of([&] {
    prctl(PR_SET_NAME, "orted");
    setenv("OMPI_COMM_WORLD_RANK", "0", 1);
    std::array<int, 2> ready{};
    if (pipe(ready.data()) != 0) return false;
    const pid_t rank = start([&] {
      const StopRequest stop;
      if (write(ready[1], "x", 1) != 1) return false;
      for (int wait = 0; wait < 10'000 && !stop.reason(); ++wait) sleep_ms(1);
      return stop.reason().has_value();
    });
    char byte = 0;
    if (read(ready[0], &byte, 1) != 1) return false;
    kill(rank, number);
    _exit(end_of(rank));
  });
}

TEST(StopRequest, ATermFromOpenMpiIsNone) {
  EXPECT_EQ(end_after_launcher_sends(SIGTERM), 128 + SIGTERM);
  EXPECT_EQ(end_after_launcher_sends(SIGUSR1), kHeld) << "mpirun forwards SIGUSR1";
}

TEST(StopRequest, ATermForALostHostIsNone) {
  EXPECT_EQ(end_of([] {
              const StopRequest stop;
              sigqueue(getpid(), SIGTERM, {.sival_int = kLostHost});
              return true;
            }),
            128 + SIGTERM);
}

TEST(StopRequest, ASignalInterruptsNoRead) {
  EXPECT_EQ(end_of([] {
              const StopRequest stop;
              std::array<int, 2> ends{};
              if (pipe(ends.data()) != 0) return false;
              const pid_t writer = start([&] {
                sleep_ms(20);
                kill(getppid(), SIGUSR1);
                sleep_ms(20);
                return write(ends[1], "x", 1) == 1;
              });
              char byte = 0;
              const ssize_t got = read(ends[0], &byte, 1);
              return got == 1 && end_of(writer) == kHeld && stop.reason() == "SIGUSR1";
            }),
            kHeld);
}

}  // namespace
}  // namespace recombine
