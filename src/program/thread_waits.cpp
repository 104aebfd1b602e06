#include "src/program/thread_waits.hpp"

#include <array>
#include <climits>
#include <cstdlib>
#include <string_view>

#include <unistd.h>

namespace recombine {

namespace {

constexpr const char* kSpinCount = "GOMP_SPINCOUNT";
constexpr const char* kTensOfMicroseconds = "3000";  // rounds of one pause instruction each: 50 us on Zen 3

/// True if the program will have one thread, which waits for no other. --threads takes precedence over
/// OMP_NUM_THREADS, so with it the number is not known here.
bool has_one_thread(char** argv) {
  const char* const threads = std::getenv("OMP_NUM_THREADS");
  if (threads == nullptr || std::string_view(threads) != "1") return false;
  for (char** argument = argv; *argument != nullptr; ++argument) {
    if (std::string_view(*argument).starts_with("--threads")) return false;
  }
  return true;
}

}  // namespace

void let_threads_wait_briefly(char** argv) {
  if (std::getenv(kSpinCount) != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  if (has_one_thread(argv)) return;      // a restart takes 14 ms
  std::array<char, PATH_MAX> program{};  // execv("/proc/self/exe") would name the process "exe"
  if (readlink("/proc/self/exe", program.data(), program.size() - 1) <= 0) return;
  setenv(kSpinCount, kTensOfMicroseconds, 1);
  execv(program.data(), argv);  // if it fails, the program goes on with OpenMP's default
}

}  // namespace recombine
