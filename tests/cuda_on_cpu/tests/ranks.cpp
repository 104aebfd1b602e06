#include "tests/cuda_on_cpu/tests/ranks.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <vector>

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace emulated::test {

namespace {

constexpr unsigned kSeconds = 60;
constexpr useconds_t kGraceMicroseconds = 500000;

[[noreturn]] void run_rank(const Rank& rank, const std::function<void(const Rank&)>& body, int output) {
  alarm(kSeconds);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  int code = 0;
  try {
    if (cudaSetDevice(rank.rank) != cudaSuccess) throw std::runtime_error("cudaSetDevice failed");
    body(rank);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", rank.rank, error.what());
    code = 1;
  }
  std::fflush(nullptr);
  _exit(::testing::Test::HasFailure() ? 1 : code);
}

std::string read_all(std::FILE* file) {
  std::string text;
  std::array<char, 4096> part{};
  std::rewind(file);
  for (std::size_t bytes = 0; (bytes = std::fread(part.data(), 1, part.size(), file)) > 0;)
    text.append(part.data(), bytes);
  return text;
}

/// Returns true if all succeed. If one fails, the others have a short time to print their errors.
bool wait_for(std::vector<pid_t> processes) {
  bool succeeded = true;
  while (!processes.empty()) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    std::erase(processes, ended);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    if (succeeded) usleep(kGraceMicroseconds);
    for (const pid_t process : processes) kill(process, SIGKILL);
    succeeded = false;
  }
  return succeeded;
}

}  // namespace

Outcome run_ranks(int ranks, const std::function<void(const Rank&)>& body) {
  ncclUniqueId id{};
  std::FILE* const output = std::tmpfile();
  if (!output || ncclGetUniqueId(&id) != ncclSuccess) return {false, "no id or no file"};
  std::fflush(nullptr);
  std::vector<pid_t> processes;
  for (int rank = 0; rank < ranks; ++rank) {
    const pid_t process = fork();
    if (process == 0) run_rank({rank, ranks, id}, body, fileno(output));
    processes.push_back(process);
  }
  const bool succeeded = wait_for(processes);
  Outcome outcome{succeeded, read_all(output)};
  std::fclose(output);
  return outcome;
}

}  // namespace emulated::test
