#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/preload/points.hpp"

namespace points {

State* state = nullptr;

namespace {

int base_of_program(dl_phdr_info* info, std::size_t, void* to) {
  *static_cast<std::uintptr_t*>(to) = info->dlpi_addr;
  return 1;  // the program is the first
}

Range range_of(const char* variable) {
  unsigned long begin = 0, size = 0;
  const char* text = std::getenv(variable);
  if (text == nullptr || std::sscanf(text, "%lx %lx", &begin, &size) != 2) return {};
  std::uintptr_t base = 0;
  dl_iterate_phdr(base_of_program, &base);
  return {base + begin, base + begin + size};
}

__attribute__((constructor)) void begin() {
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  const char* page = std::getenv("POINTS_PAGE");
  std::array<char, 4096> program{};
  const ssize_t length = readlink("/proc/self/exe", program.data(), program.size() - 1);
  const char* wanted = std::getenv("POINTS_PROGRAM");
  if (rank == nullptr || page == nullptr || wanted == nullptr || length <= 0 ||
      std::strcmp(program.data(), wanted) != 0)
    return;
  const int file = open(page, O_RDWR | O_CLOEXEC);
  void* memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) return;
  auto* s = new State;
  s->page = static_cast<Page*>(memory);
  s->rank = std::atoi(rank);
  s->ranks = std::atoi(std::getenv("OMPI_COMM_WORLD_SIZE"));
  s->own = &s->page->ranks[static_cast<std::size_t>(s->rank)];
  s->process = getpid();
  Plan& plan = s->plan;
  if (const char* text = std::getenv("POINTS_PLAN"); text != nullptr)
    std::sscanf(text, "%31s %d %d %d %15s %d %15s", plan.point, &plan.rank, &plan.count, &plan.delay, plan.action,
                &plan.number, plan.target);
  s->step = range_of("POINTS_STEP");
  s->scores = range_of("POINTS_SCORES");
  if (const char* folder = std::getenv("POINTS_FOLDER"); folder != nullptr) s->folder = folder;
  s->own->process = s->process;
  void* unused[2];
  backtrace(unused, 2);  // loads the unwinder now, not inside the run
  state = s;
}

void sleep_for(int microseconds) {
  timespec left{microseconds / 1'000'000, microseconds % 1'000'000 * 1000L};
  while (syscall(SYS_nanosleep, &left, &left) != 0 && errno == EINTR) {
  }
}

void send(int rank, int number) {
  syscall(SYS_kill, state->page->ranks[static_cast<std::size_t>(rank)].process.load(), number);
}

void send_to_targets() {
  const std::string_view target = state->plan.target;
  const int number = state->plan.number;
  if (target == "mpirun") {
    syscall(SYS_kill, getppid(), number);
  } else if (target == "other") {
    send((state->rank + 1) % state->ranks, number);
  } else {
    for (int rank = 0; target == "all" && rank < state->ranks; ++rank)
      if (rank != state->rank) send(rank, number);
    send(state->rank, number);
  }
}

void* send_later(void*) {
  sleep_for(state->plan.delay);
  state->page->snapshot = state->own->snapshot.load();
  send_to_targets();
  return nullptr;
}

}  // namespace

bool is_rank() { return state != nullptr && static_cast<pid_t>(syscall(SYS_getpid)) == state->process; }

bool reached(const char* point) {
  State& s = *state;
  const std::string_view action = s.plan.action;
  if (std::strcmp(point, s.plan.point) != 0 || (s.plan.rank >= 0 && s.plan.rank != s.rank)) return false;
  if (++s.passed < s.plan.count) return false;
  std::int32_t none = 0;
  if (action == "error") {
    s.page->fired = 1;
    return true;
  }
  if (!s.page->fired.compare_exchange_strong(none, 1)) return false;
  s.page->rank = s.rank;
  s.page->products = s.own->products.load();
  if (action == "signal" && s.plan.delay > 0) {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, send_later, nullptr) == 0) pthread_detach(thread);
  } else if (action == "signal") {
    s.page->snapshot = s.own->snapshot.load();
    send_to_targets();
    sleep_for(20'000);  // a busy machine may run the thread that takes the signal some milliseconds later
  } else {              // stall, then signal: the others wait for this rank
    const auto& other = s.page->ranks[static_cast<std::size_t>((s.rank + 1) % s.ranks)];
    s.page->stalled = 1;
    sleep_for(s.plan.delay / 2);
    const int before = other.products + other.evaluated;
    sleep_for(s.plan.delay - s.plan.delay / 2);
    s.page->waited = other.products + other.evaluated == before && s.ranks > 1;
    if (s.plan.number > 0) send_to_targets();
    s.page->stalled = 0;
  }
  return false;
}

}  // namespace points
