#pragma once

#include <cmath>
#include <cstdint>

namespace recombine {

/// Number, mean and sum of squared differences from the mean of some values. Chan, Golub and LeVeque 1979.
struct Moments {
  double count = 0, mean = 0, squares = 0;

  void add(const Moments& other) {
    if (other.count == 0) return;
    const double total = count + other.count;
    const double off = other.mean - mean;
    mean += off * other.count / total;
    squares += other.squares + off * off * count * other.count / total;
    count = total;
  }
  double deviation() const { return count > 0 ? std::sqrt(squares / count) : 0; }
};

/// Moments of the values first[0], first[stride], ...; leaves out NaN.
inline Moments moments_of(const float* first, std::int64_t values, std::int64_t stride) {
  Moments result;
  double sum = 0;
  for (std::int64_t i = 0; i < values; ++i) {
    const float x = first[i * stride];
    if (std::isnan(x)) continue;
    sum += x;
    ++result.count;
  }
  if (result.count == 0) return result;
  result.mean = sum / result.count;
  for (std::int64_t i = 0; i < values; ++i) {
    const double off = first[i * stride] - result.mean;
    if (!std::isnan(off)) result.squares += off * off;
  }
  return result;
}

}  // namespace recombine
