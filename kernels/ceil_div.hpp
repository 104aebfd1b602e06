#pragma once

#include <cstdint>

namespace recombine {

/// a / b, rounded up: the number of parts of size b that hold a elements. @pre a >= 0, b > 0
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// The smallest multiple of `unit` that is at least n. @pre n >= 0, unit > 0
constexpr std::int64_t round_up(std::int64_t n, std::int64_t unit) { return ceil_div(n, unit) * unit; }

}  // namespace recombine
