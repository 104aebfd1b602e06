#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace recombine::cpu {

/// The number of threads that parallel_for and the libraries use in this process. @pre threads >= 1
void set_threads(int threads);
int threads();
/// The number of threads for a library that uses OpenMP: threads(), or 1 if parallel_for does not use OpenMP.
int library_threads();

/// Binds thread t to core cores[t], because a system may run two busy threads on one core. @pre one core per thread
void bind_threads(const std::vector<int>& cores);

namespace detail {
using RangeCall = void (*)(const void* work, std::int64_t begin, std::int64_t end);
void run_parts(std::int64_t size, std::int64_t parts, RangeCall call, const void* work);
}  // namespace detail

/// Calls work(begin, end) for consecutive parts of [0, size), on all threads; a part has at least `grain` elements.
/// The result must not depend on the number of parts, or on which thread runs which part.
template <class Work>
void parallel_for(std::int64_t size, std::int64_t grain, const Work& work) {
  const std::int64_t parts = std::min<std::int64_t>(threads(), size / std::max<std::int64_t>(grain, 1));
  if (parts <= 1) {
    if (size > 0) work(std::int64_t{0}, size);
    return;
  }
  const auto call = [](const void* w, std::int64_t begin, std::int64_t end) {
    (*static_cast<const Work*>(w))(begin, end);
  };
  detail::run_parts(size, parts, call, &work);
}

}  // namespace recombine::cpu
