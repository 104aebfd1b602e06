// Runs a harness without libFuzzer: every file of a corpus, then mutated inputs for some seconds. The sequence of
// inputs is the same in each run.
//
//     fuzz_csv CORPUS SECONDS
//
// An input that takes too much time or memory ends the run like a crash. The driver then prints the input's bytes in
// hexadecimal.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/fuzz/mutator.hpp"

namespace recombine::fuzz {

namespace {

constexpr int kSecondsPerInput = 10;  // of processor time, so that other jobs on the machine do not matter
constexpr long kMostGrowthKb = 300 << 10;

std::string& current() {
  static std::string input;
  return input;
}

[[noreturn]] void on_signal(int signal) {
  static constexpr std::size_t kMost = 4096;
  static constexpr const char* kDigits = "0123456789abcdef";
  std::string line = fmt::format("\nfuzz: signal {} ({}) on {} bytes: ", signal,
                                 signal == SIGPROF ? "too slow" : "see signal(7)", current().size());
  for (const char c : current().substr(0, kMost)) {
    line += kDigits[static_cast<unsigned char>(c) >> 4];
    line += kDigits[static_cast<unsigned char>(c) & 0xF];
  }
  line += '\n';
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, line.data(), line.size());
  _exit(1);
}

long peak_kb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void run_one(std::string input) {
  current() = std::move(input);
  const itimerval limit{.it_interval = {}, .it_value = {.tv_sec = kSecondsPerInput}};
  setitimer(ITIMER_PROF, &limit, nullptr);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current().data()), current().size());
}

std::vector<std::string> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::ranges::sort(paths);  // the same order in each run
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

int run(const std::filesystem::path& folder, double seconds) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGPROF}) std::signal(signal, on_signal);
  const std::vector<std::string> corpus = read_corpus(folder);
  insist(!corpus.empty(), "the corpus has no file");
  for (const std::string& input : corpus) run_one(input);
  const long before = peak_kb();
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  Mutator mutator(corpus);
  std::int64_t inputs = 0;
  for (; elapsed() < seconds; ++inputs) {
    run_one(mutator.next());
    insist(peak_kb() - before < kMostGrowthKb, "an input took too much memory");
  }
  fmt::print("{} files of the corpus, {} mutated inputs in {:.1f} s, {} MB more memory\n", corpus.size(), inputs,
             elapsed(), (peak_kb() - before) >> 10);
  return 0;
}

}  // namespace

}  // namespace recombine::fuzz

int main(int argc, char** argv) {
  if (argc != 3) return fmt::print(stderr, "usage: {} CORPUS SECONDS\n", argv[0]), 2;
  return recombine::fuzz::run(argv[1], std::strtod(argv[2], nullptr));
}
