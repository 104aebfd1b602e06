#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

namespace recombine::test {

/// Element i of rank `rank`, for sums whose bits depend on the order of the terms. Of every three ranks, one has a
/// large value, one has its negative, and one has a small value that is lost unless it is added last.
template <class T>
T rounding_term(int rank, std::int64_t i) {
  const T large = (sizeof(T) == 4 ? T(1e8) : T(1e17)) * T(1 + i % 7);
  switch ((i + rank) % 3) {
    case 0: return large;
    case 1: return -large;
    default: return T(1 + i * rank % 11) / T(3 + rank);
  }
}

template <class T>
std::vector<T> rounding_terms(int rank, std::int64_t size) {
  std::vector<T> terms(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i) terms[static_cast<std::size_t>(i)] = rounding_term<T>(rank, i);
  return terms;
}

/// Index of the first element whose bits differ, or -1. @pre a and b have the same size
template <class T>
std::int64_t first_other_bits(const std::vector<T>& a, const std::vector<T>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(&a[i], &b[i], sizeof(T)) != 0) return static_cast<std::int64_t>(i);
  }
  return -1;
}

}  // namespace recombine::test
