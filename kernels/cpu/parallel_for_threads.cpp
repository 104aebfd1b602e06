#include <atomic>
#include <thread>
#include <vector>

#include "kernels/cpu/parallel_for.hpp"

namespace recombine::cpu {

namespace {

std::atomic<int> thread_count{1};

}  // namespace

void set_threads(int threads) { thread_count = threads; }
int threads() { return thread_count; }
int library_threads() { return 1; }
void bind_threads(const std::vector<int>& /*cores*/) {}  // threads end after each call

void detail::run_parts(std::int64_t size, std::int64_t parts, RangeCall call, const void* work) {
  std::vector<std::jthread> team;
  for (std::int64_t part = 1; part < parts; ++part) {
    team.emplace_back([=] { call(work, size * part / parts, size * (part + 1) / parts); });
  }
  call(work, 0, size / parts);
}

}  // namespace recombine::cpu
