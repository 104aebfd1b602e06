#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/ceil_div.hpp"
#include "kernels/cpu/parallel_for.hpp"

// How elementwise work is split over threads. The resulting bits do not depend on the number of threads.

namespace recombine::cpu {

constexpr std::int64_t kGrain = 16384;  ///< elements; for fewer, another thread costs more time than it saves
constexpr std::int64_t kUnit = 64;      ///< elements; work is cut at multiples of it, so no vector is cut

/// Splits rows over threads, so that each has at least kGrain elements.
template <class Work>
void for_rows(std::int64_t rows, std::int64_t cols, const Work& work) {
  parallel_for(rows, kGrain / std::max<std::int64_t>(cols, 1) + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) work(i);
  });
}

/// Splits [0, size) over threads at multiples of kUnit. Vector and scalar code give different bits, so the choice
/// between them for an element must not depend on the number of threads.
template <class Work>
void for_elements(std::int64_t size, std::int64_t grain, const Work& work) {
  parallel_for(ceil_div(size, kUnit), ceil_div(grain, kUnit),
               [&](std::int64_t begin, std::int64_t end) { work(begin * kUnit, std::min(end * kUnit, size)); });
}

/// Splits columns over threads. One thread sums a column, from the first row to the last.
template <class Work>
void for_columns(std::int64_t rows, std::int64_t cols, const Work& work) {
  for_elements(cols, kGrain / std::max<std::int64_t>(rows, 1), work);
}

}  // namespace recombine::cpu
