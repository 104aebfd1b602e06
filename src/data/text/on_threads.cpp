#include "src/data/text/on_threads.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <sched.h>

namespace recombine {

std::size_t usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  const bool known = sched_getaffinity(0, sizeof cores, &cores) == 0;
  return known ? static_cast<std::size_t>(std::max(1, CPU_COUNT(&cores)))
               : std::max(1U, std::thread::hardware_concurrency());
}

void on_threads(std::size_t count, const std::function<void(std::size_t)>& work) {
  static constexpr std::size_t kMostThreads = 64;  // more do not read faster
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  std::mutex mutex;
  std::size_t first_failed = count;
  std::exception_ptr error;
  const auto run = [&] {
    while (!failed) {
      const std::size_t i = next++;
      if (i >= count) return;
      try {
        work(i);
      } catch (...) {
        const std::scoped_lock lock(mutex);
        failed = true;
        if (i < first_failed) {
          first_failed = i;
          error = std::current_exception();
        }
      }
    }
  };
  const std::size_t threads = std::min({usable_cores(), kMostThreads, count});
  std::vector<std::jthread> others;
  for (std::size_t t = 1; t < threads; ++t) others.emplace_back(run);
  run();
  others.clear();  // joins them
  if (error) std::rethrow_exception(error);
}

}  // namespace recombine
