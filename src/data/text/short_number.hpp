#pragma once

#include <cstdint>
#include <string_view>

namespace recombine {

/// The number in a cell, if it has at most 16 characters after its sign: digits, and at most one decimal sign. Reads
/// eight characters at once, without a branch for each. NaN: another number, or not a number.
double short_number(std::string_view cell, char decimal);

/// 10^0 to 10^22: the powers of ten that f64 represents exactly. If a whole number up to 2^53 is multiplied or divided
/// by one of them, it is rounded only once, so the result is the nearest f64 (Clinger 1990).
constexpr int kMostExactPower = 22;
double power_of_ten(int exponent);
constexpr std::uint64_t kMostExact = std::uint64_t{1} << 53;

}  // namespace recombine
