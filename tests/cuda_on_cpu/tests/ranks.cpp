#include "tests/cuda_on_cpu/tests/ranks.hpp"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <exception>
#include <vector>

namespace emulated::test {

namespace {

constexpr unsigned kSeconds = 60;

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

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t bytes = 0; (bytes = read(descriptor, part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(bytes));
  return text;
}

}  // namespace

Outcome run_ranks(int ranks, const std::function<void(const Rank&)>& body) {
  ncclUniqueId id{};
  std::array<int, 2> pipe_ends{};
  if (ncclGetUniqueId(&id) != ncclSuccess || pipe(pipe_ends.data()) != 0) return {false, "no id or no pipe"};
  std::fflush(nullptr);
  std::vector<pid_t> processes;
  for (int rank = 0; rank < ranks; ++rank) {
    const pid_t process = fork();
    if (process == 0) run_rank({rank, ranks, id}, body, pipe_ends[1]);
    processes.push_back(process);
  }
  close(pipe_ends[1]);
  Outcome outcome{true, read_all(pipe_ends[0])};
  close(pipe_ends[0]);
  for (const pid_t process : processes) {
    int status = 0;
    waitpid(process, &status, 0);
    outcome.succeeded = outcome.succeeded && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  return outcome;
}

}  // namespace emulated::test
